// Streams in a simulated history: sources and [[stream]]s are drawn, reloads change them, and what the peers
// saw is judged: no message of a stream leaves from a source outside it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world.h"

namespace sim {

class Streams {
 public:
  // Has randomness of its own: the rest of a history does not depend on it.
  Streams(const World* world, uint64_t seed) : world_(world), random_(seed ^ 0x57e4a3) {}

  // In one history of two: sources, and streams over them.
  void draw(conf::Config* config);
  bool any() const { return any_; }
  // Another configuration: a stream is gone, or has other sources.
  conf::ConfigPtr changed(const conf::Config& config);
  void in_force(conf::ConfigPtr config) { history_.emplace_back(world_->now(), std::move(config)); }
  std::string sender();  // of the next message
  uint64_t reloads() { return any_ ? random_.below(3) : 0; }
  conf::Duration moment() { return conf::Duration(static_cast<int64_t>(random_.below(40'000'000))); }

  // `accepted`: when the relay said so, by its identifier of the message.
  std::vector<std::string> judge(const Ledger& ledger,
                                 const std::map<std::string, conf::Instant>& accepted) const;
  uint64_t judged() const { return judged_; }  // messages of a stream that leaves from fewer than all sources

 private:
  struct Mail {
    uint64_t number = 0;
    std::string reverse_path;
    bool report = false;
  };
  std::string ids();
  std::vector<conf::ConfigPtr> between(conf::Instant from, conf::Instant to) const;
  bool may_leave(const std::string& address, const std::vector<std::string>& streams, conf::Instant at) const;
  std::vector<std::string> streams_of(const Mail& mail, conf::Instant from, conf::Instant to) const;

  const World* world_;
  conf::Random random_;
  bool any_ = false;
  std::vector<std::pair<conf::Instant, conf::ConfigPtr>> history_;
  mutable uint64_t judged_ = 0;
};

}  // namespace sim
