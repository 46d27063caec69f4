// The paths that people are shown: those with mail, connections, traffic or something that holds them back. A
// question begins a round over all paths, some in each step, and at no other time is anything looked at. Loop
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/path_history.h"
#include "relay/walk/transit.h"

namespace relay {

class BusiestPaths {
 public:
  BusiestPaths(Transit* transit, PathHistory history) : transit_(transit), history_(history) {}  // borrowed

  using Done = std::function<void(std::vector<admin::PathView>)>;
  // The blocked ones first, then by mail and connections, at most `limit`; after them what is held against
  // sites that no path is open to. `done` hears at once where there is little to look at, else when the round
  // is over: O(paths) in all. Each question has a round of its own.
  void take(size_t limit, Done done);
  void step(conf::Instant now);
  bool under_way() const { return !questions_.empty(); }

 private:
  struct Question {
    size_t limit = 0;
    Done done;
  };
  struct Candidate {
    std::pair<bool, size_t> weight;
    queue::Path* path = nullptr;  // marked `shown`: it is not forgotten meanwhile
  };
  static bool is_busier(const Candidate& a, const Candidate& b) { return a.weight > b.weight; }
  bool flows(const queue::Path& path, conf::Instant now) const;
  void consider(queue::Path* path, conf::Instant now);
  void find(conf::Instant now, size_t* budget);
  void view(conf::Instant now, size_t* budget);
  void add_detached(conf::Instant now, size_t* budget);
  void finish();

  enum class Phase : uint8_t { kFind, kView, kDetached, kOver };

  Transit* transit_;
  const PathHistory history_;
  std::deque<Question> questions_;  // the first is worked on
  Phase phase_ = Phase::kFind;
  size_t part_ = 0;                 // where kFind goes on
  std::vector<Candidate> busiest_;  // a heap, the least busy in front; sorted in kView
  size_t viewed_ = 0;               // of them
  size_t counter_ = 0;              // where kDetached goes on
  std::vector<admin::PathView> views_;
  std::unordered_map<const queue::Path*, uint32_t> in_flight_;
};

}  // namespace relay
