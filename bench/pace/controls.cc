#include <algorithm>
#include <array>

#include "bench/pace/control.h"
#include "bench/pace/receiver.h"
#include "mx/limits/traffic.h"

namespace pace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::Duration;
using conf::Instant;

namespace {

// The counters of a path without any limit but that of connections.
class Penstock final : public Control {
 public:
  Instant may_open(Instant now) override {
    const mx::Admission admission = traffic_.may_send(now).also(traffic_.may_connect(now));
    return admission.yes ? now : admission.not_before;
  }
  Instant may_send(Instant now) override {
    const mx::Admission admission = traffic_.may_send(now);
    return admission.yes ? now : admission.not_before;
  }
  uint32_t budget(Instant now) override { return traffic_.budget(now); }
  bool is_done(uint32_t taken) override {
    const uint32_t most = traffic_.most_per_connection(now_);
    return traffic_.connections() > traffic_.window() || taken >= kMostPerConnection ||
           (most != 0 && taken >= most);
  }
  void opened(Instant now) override { traffic_.connection_opened(now); }
  void closed(uint32_t taken) override { traffic_.connection_closed(taken > 0); }
  void begins(Instant now) override { traffic_.charge(now); }
  void taken(const Transaction& transaction) override {
    now_ = transaction.now;
    traffic_.accepted(now_, {transaction.begun, transaction.before});
  }
  void refused(const Transaction& refusal) override {
    now_ = refusal.now;
    if (refusal.greeting) {
      traffic_.turned_away(refusal.now, refusal.begun);
    } else {
      traffic_.throttled(refusal.now, {refusal.begun, refusal.before});
    }
  }

 private:
  Instant now_{};
  mx::Traffic traffic_{[] {
    mx::PathLimits limits;
    limits.max_connections = kMostConnections;
    return limits;
  }()};
};

// Whatever sends evenly, at a rate of its own.
class Paced : public Control {
 public:
  Instant may_open(Instant now) override {
    if (connections_ >= most_connections_) return conf::kNever;
    return may_send(now);
  }
  Instant may_send(Instant now) override {
    steer(now);
    return std::max(pause_, next_);
  }
  void begins(Instant now) override { next_ = std::max(next_, now - 50ms) + length(1 / rate_); }

 protected:
  virtual void steer(Instant /*now*/) {}  // sets rate_

  double rate_ = 10;  // messages a second
  uint32_t most_connections_ = kMostConnections;
  Instant pause_{}, next_{};
};

// A rate that grows by ten a minute each second, and is halved when the receiver asks.
class Aimd final : public Paced {
 public:
  void taken(const Transaction& /*taken*/) override {}
  void refused(const Transaction& refusal) override {
    if (refusal.now - cut_ < 1s) return;
    cut_ = refusal.now;
    rate_ = std::max(rate_ / 2, 1.0 / 60);
    pause_ = refusal.now + 1s;
  }

 private:
  void steer(Instant now) override {
    for (; grown_ + 1s <= now; grown_ += 1s) rate_ += 10.0 / 60;
  }
  Instant cut_{}, grown_{};
};

// The most that was taken in one of the last ten stretches of ten seconds is the bandwidth; it is sent at
// that, at a quarter more and at a quarter less in turns, as BBR does in its steady state.
class Bbr final : public Paced {
 public:
  void taken(const Transaction& /*taken*/) override { ++taken_; }
  void refused(const Transaction& refusal) override { pause_ = refusal.now + 1s; }

 private:
  static constexpr Duration kStretch = 10s;
  void steer(Instant now) override {
    if (now - begun_ < kStretch) return;
    for (; now - begun_ >= kStretch; begun_ += kStretch, taken_ = 0)
      most_[turn_++ % most_.size()] = taken_ / 10.0;
    constexpr std::array<double, 8> kGains = {1.25, 0.75, 1, 1, 1, 1, 1, 1};
    rate_ = std::max(*std::max_element(most_.begin(), most_.end()), 1.0 / 60) * kGains[turn_ % kGains.size()];
  }
  std::array<double, 10> most_{};
  size_t turn_ = 0;
  double taken_ = 0;
  Instant begun_{};
};

// Fixed figures, in the manner of KumoMTA's shaping file for domains that it does not name: 10 connections,
// 100 messages over each, 100 a second. Its automation may suspend a site that asks for less.
class Static final : public Paced {
 public:
  explicit Static(Duration suspends) : suspends_(suspends) {
    rate_ = 100;
    most_connections_ = 10;
  }
  bool is_done(uint32_t taken) override { return taken >= 100; }
  void taken(const Transaction& /*taken*/) override {}
  void refused(const Transaction& refusal) override { pause_ = std::max(pause_, refusal.now + suspends_); }

 private:
  Duration suspends_;
};

}  // namespace

const char* to_text(Method method) {
  constexpr std::array<const char*, kMethods> kTexts = {"penstock", "AIMD", "BBR-like", "static",
                                                        "static, suspends 15 min"};
  return kTexts[static_cast<size_t>(method)];
}

std::unique_ptr<Control> make(Method method) {
  switch (method) {
    case Method::kPenstock:
      return std::make_unique<Penstock>();
    case Method::kAimd:
      return std::make_unique<Aimd>();
    case Method::kBbr:
      return std::make_unique<Bbr>();
    case Method::kStatic:
      return std::make_unique<Static>(0s);
    case Method::kSuspending:
      return std::make_unique<Static>(15min);
  }
  return nullptr;
}

}  // namespace pace
