// How many events wait because the log cannot be written, on disk: a kill forgets the events, and the next
// start says how many are missing. A file of fixed size beside the log, overwritten in place, which a full
// disk does not hinder. One thread.
#pragma once

#include <cstdint>
#include <string>

namespace relay::log {

class GapMark {
 public:
  // `log` is the path of the log; beside a device nothing is made. Without the file all calls do nothing.
  explicit GapMark(const std::string& log);
  ~GapMark();
  GapMark(const GapMark&) = delete;
  GapMark& operator=(const GapMark&) = delete;

  uint64_t left() const { return left_; }  // by an earlier run
  void put(uint64_t waiting);              // 0: none wait

 private:
  int fd_ = -1;
  uint64_t left_ = 0;
  uint64_t there_ = 0;
};

}  // namespace relay::log
