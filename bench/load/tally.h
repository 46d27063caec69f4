// What became of the messages: counts, outcomes by reply, latencies, and all that over time. One for each
// thread; merged at the end. Its size does not grow with the number of messages.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/latency.h"
#include "bench/load/message.h"

namespace bench::load {

// The run in intervals of one width. When it gets long, two become one.
class Timeline {
 public:
  struct Interval {
    uint64_t accepted = 0;
    uint64_t refused = 0;
    uint64_t bytes = 0;
    Latency response;
  };
  void start(int64_t start_us) { start_us_ = start_us; }
  Interval& at(int64_t now_us);
  void merge(const Timeline& other);  // of the same start
  int64_t width_us() const { return width_us_; }
  const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  void widen();
  int64_t start_us_ = 0;
  int64_t width_us_ = 50'000;
  std::vector<Interval> intervals_;
};

struct Tally {
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t bytes = 0;  // content of the accepted
  uint64_t connections = 0;
  uint64_t lost_connections = 0;
  uint64_t resent = 0;
  std::string trouble;                       // the last reason of a lost connection
  std::map<std::string, uint64_t> outcomes;  // by reply, numbers of it replaced by #; bounded
  Latency response;                          // from when the message was due to its final answer
  Latency service;  // from when the relay had its envelope and no other of the session
  Latency content;  // from when the content was sent
  Timeline timeline;

  void count(const Message& message, int code, std::string_view text, int64_t now_us);
  void merge(const Tally& other);

 private:
  void count_outcome(std::string_view text, int code);
};

// "250 2.0.0 Ok: queued as 4F2A1" -> "250 2.0.0 Ok: queued as #": words with a digit behind the codes become
// "#", so that replies that differ by an id or address only count as one.
std::string reply_kind(std::string_view text);

}  // namespace bench::load
