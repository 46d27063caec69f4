#include "bench/pace/play.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <unordered_map>
#include <vector>

namespace pace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::Duration;
using conf::Instant;

namespace {

constexpr Instant kStart{1h};
constexpr Duration kLearning = 10min;
constexpr Duration kRests = 5s;  // an idle connection
constexpr Duration kStorm = 10s;

class Sender {
 public:
  Sender(const Hidden& hidden, uint64_t seed, Control* control)
      : receiver_(hidden, seed), random_(seed + 1), control_(*control) {
    steady_ = kStart + std::max(kLearning, 4 * hidden.window);
    end_ = kStart + std::max<Duration>(40min, 16 * hidden.window);
  }

  Seen run() {
    send();
    while (!events_.empty() && events_.top().at < end_) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      happen(event);
      send();
    }
    return result();
  }

 private:
  enum class What : uint8_t { kTime, kGreeting, kDecision, kTaken };
  struct Event {
    Instant at;
    What what;
    uint32_t connection;
    bool operator<(const Event& other) const { return at > other.at; }
  };
  struct Connection {
    uint32_t taken = 0;
    Instant begun{};   // it, or its transaction
    Duration takes{};  // its transaction
  };
  struct Resting {
    uint32_t connection;
    Instant since;
  };

  void at(Instant when, What what, uint32_t connection) { events_.push({when, what, connection}); }
  void wait(Instant until) {
    if (until == conf::kNever || (wakes_ > now_ && wakes_ <= until)) return;
    wakes_ = until;
    at(until, What::kTime, 0);
  }
  Duration some_time() {
    const double factor = 0.5 + random_.unit();
    return Duration(static_cast<int64_t>(static_cast<double>(receiver_.hidden().latency.count()) * factor));
  }

  void send() {
    while (!resting_.empty() && resting_.front().since + kRests <= now_) {
      close(resting_.front().connection);
      resting_.pop_front();
    }
    for (;;) {
      if (!resting_.empty()) {
        if (const Instant when = control_.may_send(now_); when > now_) return wait(when);
        begin(resting_.back().connection);
        resting_.pop_back();
        continue;
      }
      if (const Instant when = control_.may_open(now_); when > now_) return wait(when);
      if (opening_ >= control_.budget(now_)) return;
      open();
    }
  }
  void open() {
    control_.opened(now_);
    ++opening_;
    connections_[++last_] = {0, now_, {}};
    at(now_ + some_time(), What::kGreeting, last_);
  }
  void close(uint32_t connection) {
    receiver_.closed(connection);
    const uint32_t taken = connections_[connection].taken;
    connections_.erase(connection);
    control_.closed(taken);
  }
  void rest(uint32_t connection) {
    if (control_.is_done(connections_[connection].taken)) return close(connection);
    resting_.push_back({connection, now_});
  }
  void begin(uint32_t number) {
    Connection& connection = connections_[number];
    control_.begins(now_);
    connection.begun = now_;
    connection.takes = some_time();
    const Stage stage = receiver_.hidden().stage;
    const Duration until = stage == Stage::kDot    ? connection.takes
                           : stage == Stage::kRcpt ? connection.takes / 2
                                                   : connection.takes / 4;
    at(now_ + until, What::kDecision, number);
  }
  void happen(const Event& event) {
    if (event.what == What::kTime) return;
    Connection& connection = connections_[event.connection];
    if (event.what == What::kGreeting) {
      --opening_;
      if (receiver_.greets(event.connection, now_)) return rest(event.connection);
      refuse(event.connection, true);
    } else if (event.what == What::kDecision) {
      if (!receiver_.takes(event.connection, now_)) return refuse(event.connection, false);
      at(connection.begun + connection.takes, What::kTaken, event.connection);
    } else {
      control_.taken({now_, connection.begun, connection.taken++, false});
      taken_steady_ += now_ >= steady_ ? 1 : 0;
      rest(event.connection);
    }
  }
  void refuse(uint32_t number, bool greeting) {
    const Connection connection = connections_[number];
    refused_steady_ += now_ >= steady_ ? 1 : 0;
    recent_.push_back(now_);
    while (recent_.front() <= now_ - kStorm) recent_.pop_front();
    uint32_t& storm = now_ >= steady_ ? seen_.storm : seen_.at_first;
    storm = std::max(storm, static_cast<uint32_t>(recent_.size()));
    control_.refused({now_, connection.begun, connection.taken, greeting});
    const Stage stage = receiver_.hidden().stage;
    const bool stays = !greeting && (stage == Stage::kRcpt || stage == Stage::kDot);
    if (stays && !control_.quits_when_refused()) return rest(number);
    close(number);
  }

  Seen result() {
    const double rate = receiver_.hidden().capacity(kMostConnections, kMostPerConnection);
    const auto seconds = [](Duration length) { return static_cast<double>(length.count()) / 1e6; };
    seen_.share = taken_steady_ / (rate * seconds(end_ - steady_));
    seen_.refused = taken_steady_ == 0 ? 100 : 100 * refused_steady_ / taken_steady_;
    return seen_;
  }

  Receiver receiver_;
  conf::Random random_;
  Control& control_;
  Instant now_ = kStart, wakes_{}, steady_, end_;
  uint32_t last_ = 0, opening_ = 0;
  std::unordered_map<uint32_t, Connection> connections_;
  std::deque<Resting> resting_;  // the longest first
  std::priority_queue<Event> events_;
  std::deque<Instant> recent_;  // refusals
  double taken_steady_ = 0, refused_steady_ = 0;
  Seen seen_;
};

}  // namespace

Seen play(const Hidden& hidden, uint64_t seed, Control* control) {
  return Sender(hidden, seed, control).run();
}

}  // namespace pace
