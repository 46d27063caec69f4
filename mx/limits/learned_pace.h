// The rate that a receiver takes without asking us to slow down, found from its replies. Nothing is limited
// until it was asked twice in a row, with no message taken between: a request alone may come from a machine
// that is busy for a moment, and costs next to nothing.
//
//   asked        what is sent next goes after a fiftieth of the time since the request before, at most 4 s
//   in a row     the limit is met, or the host is down: a silence, in which one message goes each time that
//                as much time is over again, until one is taken. In its first hour they are a minute apart
//                at most, later a sixtieth of the silence, at most five minutes
//   learned      from the end of one silence to the end of the next, the receiver took as many messages as it
//                takes in that time: this is its limit, and it is sent 98 % of that, evenly. An end that is
//                known too roughly is looked for in steps of a sixth of what is not known, the next time
//   met again    by mail sent evenly: the rate is cut by a twentieth for requests in a row, by three
//   hundredths
//                for more single ones than come anyway. What stays like that after ten cuts has another cause
//   at the door  connections that are turned away and may be chance count as single requests where mail goes
//                as fast as the rate allows
//   growth       two minutes and 300 messages later by a hundredth a minute (less for a window of more than a
//                minute), the faster the longer nothing is met, to find a limit that has risen
//   forgotten    when no request came for an hour and the rate is far above what is sent
//
// Requests for no more than 1.5 % of what was sent in the last minute teach nothing, for chance: a machine
// that is busy now and then. It is learned, not promised: a crash may let a few messages go too early. One
// thread; O(1).
#pragma once

#include <cstdint>
#include <memory>

#include "conf/vocab/time.h"
#include "mx/limits/saved.h"

namespace mx {

class LearnedPace {
 public:
  LearnedPace() = default;
  LearnedPace(const LearnedPace& other) { *this = other; }
  LearnedPace& operator=(const LearnedPace& other);

  // `begun`: when the transaction began, whose end this is.
  void taken(conf::Instant now, conf::Instant begun);
  // The receiver asked us to slow down. False: an answer to what was under way when it asked before.
  bool asked(conf::Instant now, conf::Instant begun);
  // A new connection was turned away, which alone may be chance.
  void turned_away(conf::Instant now);
  // What it asked was about something else.
  void excuse(conf::Instant now);
  // Asked more than once since a message was taken.
  bool in_a_row() const { return learned_ != nullptr && learned_->certain > 1; }
  // Until then nothing is sent; an Instant in the past: there is no pause.
  conf::Instant paused_until() const { return learned_ == nullptr ? conf::Instant::min() : learned_->until; }

  void charge(conf::Instant now) {
    if (has_rate()) charge_rate(now);
  }
  // When one more message may go; not later than `now`: at once.
  conf::Instant not_before(conf::Instant now) const { return has_rate() ? learned_->next - slack() : now; }
  uint32_t available(conf::Instant now) const;  // messages that may go at once
  uint32_t per_hour() const;                    // 0: nothing is learned
  bool binds(conf::Instant now) const;          // there is a rate, and as much is tried as it allows
  bool has_rate() const { return learned_ != nullptr && learned_->rate > 0; }
  // Nothing was asked of us for an hour.
  bool as_new(conf::Instant now) const;
  conf::Instant worth_until() const;
  void reset() { *this = LearnedPace(); }
  void at_most(const LearnedPace& other);  // the slower of both, and the longer pause

  void save(SavedWriter* out) const;
  enum class Version : uint8_t { kBefore, kNow };                  // of what was saved
  void restore(SavedReader* in, Version version = Version::kNow);  // as Window

 private:
  // How many in the last minute, near enough: those of the present one, and a share of those of the last one.
  struct Minute {
    conf::Instant begin = conf::Instant::min();
    uint32_t now = 0, before = 0;
    void roll(conf::Instant at);
    void add(conf::Instant at);
    double in(conf::Instant at) const;
  };
  struct Learned {
    double rate = 0;                 // messages a second; 0: not known
    conf::Duration window{0};        // of the limit, near enough
    conf::Instant at{};              // when it asked last
    conf::Instant before{};          // and the time before
    conf::Instant row{};             // the first time of those in a row
    conf::Instant met{};             // the limit was, last
    conf::Instant grown{}, grows{};  // last, since
    conf::Instant until{};
    conf::Instant next{};                        // when the next message is due, evenly
    conf::Instant cycle = conf::Instant::min();  // the end of a silence
    uint32_t cycle_taken = 0;                    // since then
    conf::Duration least{0}, most{0};            // from there to the end of the next
    uint32_t taken = 0;                          // since the limit was met
    bool confirmed = false;                      // by mail sent evenly
    uint8_t cuts = 0;                            // since it grew last
    uint8_t in_a_row = 0;                        // requests without a message taken between them
    uint8_t too_late = 0;                        // tries at the end of a silence
    uint8_t certain = 0;                         // the same, without one that may be chance
    double speed = 0;                            // messages taken a second, when the row began
    float excess = 0;                            // requests beyond those that come anyway
    Minute all_taken, all_refused;
  };
  void charge_rate(conf::Instant now);
  conf::Duration slack() const;
  void grow(conf::Instant now);
  bool is_limit(conf::Instant now) const;
  bool says_something(conf::Instant now) const;
  double often() const;
  void meet(conf::Instant now);
  void end_silence(conf::Instant begun);
  void learn(conf::Duration least, conf::Duration most, double messages);
  void set_rate(double limit, conf::Duration window);
  conf::Duration pause(conf::Instant now, conf::Duration since) const;

  std::unique_ptr<Learned> learned_;  // from the first request on
};

}  // namespace mx
