// The connections of a path: how many there are, since when the first of those that open is being waited for,
// which rest, whether one lets a message wait. Written by SharedLines, which counts them for a shared line as
// well, and of silence by the Dispatcher. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "conf/vocab/check.h"
#include "conf/vocab/refusal.h"
#include "conf/vocab/time.h"

namespace relay {
class OutboundConnection;
}  // namespace relay

namespace relay::queue {

// A receiver lets a message wait for the reply to one of its commands.
struct Silence {
  const OutboundConnection* over = nullptr;  // null: none is known
  conf::Stage stage = conf::Stage::kNone;    // of the reply
  conf::Instant since{};
};

class PathConnections {
 public:
  uint32_t size() const { return size_; }        // open and opening
  uint32_t opening() const { return opening_; }  // of these, those that never were ready
  bool any_was_ready() const { return size_ > opening_; }
  bool all_rest() const { return size_ <= idle_.size(); }                 // or there is none
  const std::vector<OutboundConnection*>& idle() const { return idle_; }  // the last came last
  bool has_idle(const OutboundConnection* connection) const {
    return std::find(idle_.begin(), idle_.end(), connection) != idle_.end();
  }
  // While some are opening: the first of them was begun, or the last one before them got ready, whichever is
  // later.
  conf::Instant opening_since() const { return opening_since_; }

  void begins(conf::Instant now) {
    if (opening_ == 0) opening_since_ = now;
    ++size_;
    ++opening_;
  }
  void gets_ready(conf::Instant now) {
    CHECK(opening_ > 0);
    --opening_;
    opening_since_ = now;
    slow_told_ = false;
  }
  void ends(bool was_ready) {
    CHECK(size_ > 0 && (was_ready || opening_ > 0));
    --size_;
    if (!was_ready) --opening_;
  }
  void rests(OutboundConnection* connection) { idle_.push_back(connection); }
  void rests_no_more(OutboundConnection* connection) { std::erase(idle_, connection); }

  // Null: none is silent, or others have got a reply since.
  const Silence* silence() const {
    return silence_.over == nullptr || answered_at_ > silence_.since ? nullptr : &silence_;
  }
  void is_silent(const Silence& silence) {
    if (silence.since < answered_at_) return;
    const bool newer = this->silence() == nullptr || silence.over == silence_.over;
    if (newer || silence.since < silence_.since) silence_ = silence;
  }
  // A message over the connection got a reply.
  void answers(const OutboundConnection* connection, conf::Instant now) {
    answered_at_ = now;
    forget_silence(connection);
  }
  void forget_silence(const OutboundConnection* connection) {
    if (silence_.over == connection) silence_ = {};
  }
  // When it was told last that the receiver is silent; the past: never.
  conf::Instant silence_told() const { return silence_told_; }
  void tell_silence(conf::Instant now) { silence_told_ = now; }

  // That it takes long until one is ready is told once, by the Dispatcher.
  bool slow_told() const { return slow_told_; }
  void tell_slow() { slow_told_ = true; }

 private:
  uint32_t size_ = 0;
  uint32_t opening_ = 0;
  bool slow_told_ = false;  // since the last one got ready
  conf::Instant opening_since_{};
  Silence silence_;
  conf::Instant answered_at_ = conf::Instant::min(), silence_told_ = conf::Instant::min();
  std::vector<OutboundConnection*> idle_;
};

}  // namespace relay::queue
