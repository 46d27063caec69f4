// Whose turn it is to have something done that takes the processor for long (a handshake, a piece of a long
// message to encrypt): one of each party at a time, however many streams a party has. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace relay::uv {

struct Turn {
  void* owner = nullptr;
  std::string party;  // not to be changed while it waits

 private:
  friend class Turns;
  std::pair<uint64_t, uint64_t> place_;  // a round in which each party has one, a number within it
  bool waits_ = false;
};

class Turns {
 public:
  void add(Turn* turn);    // waits already: nothing
  void erase(Turn* turn);  // does not wait: nothing
  Turn* next();            // takes it out; null when none waits
  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }

 private:
  struct Line {
    uint64_t last = 0;  // the round of the last one in it
    uint32_t waiting = 0;
  };
  std::map<std::pair<uint64_t, uint64_t>, Turn*> order_;
  std::unordered_map<std::string, Line> lines_;  // by party; only those in which someone waits
  uint64_t round_ = 0;                           // of the one taken last
  uint64_t number_ = 0;
};

}  // namespace relay::uv
