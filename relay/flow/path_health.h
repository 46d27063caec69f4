// How the connections of a path fared: whether it fails, how long it is left alone, what its last failure
// said. How long that should be the BackOff says, which writes it. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "bounce/qualifier.h"
#include "conf/vocab/time.h"

namespace relay::queue {

struct PathError {
  bounce::Stage stage = bounce::Stage::kConnect;
  bounce::Reply reply;  // code 0: no reply; its text says what happened
  std::string mx_host;
  std::string mx_address;
  bounce::Qualification meaning;
  bool present() const { return !reply.lines.empty(); }
};

class PathHealth {
 public:
  bool failing() const { return back_off_.count() > 0; }
  conf::Duration back_off() const { return back_off_; }               // the present one; 0: it does not fail
  conf::Instant backs_off_until() const { return backs_off_until_; }  // no new connection before
  bool backs_off(conf::Instant now) const { return backs_off_until_ > now; }
  conf::Instant sick_since() const { return sick_since_; }  // when the first of the present failures was seen
  // No connection yet since the last success, and targets failed: not all of them.
  bool stumbles() const { return stumbles_; }
  uint8_t breaks() const { return breaks_; }  // connections in a row that broke before a message was answered
  uint8_t refused() const { return refused_; }  // messages in a row, by hosts that take none for now
  // One that was begun at `started` is not of the failure, or the break, that was seen last.
  bool is_new_failure(conf::Instant started) const { return !failing() || started >= failing_since_; }
  bool is_new_break(conf::Instant started) const { return breaks_ == 0 || started >= broke_at_; }
  const PathError& last_error() const { return last_error_; }

  // A connection is ready.
  void works() {
    back_off_ = conf::Duration(0);
    stumbles_ = false;
    last_error_ = {};
  }
  void answers() { breaks_ = refused_ = 0; }  // a message was answered
  void refuses() { refused_ = std::min<uint8_t>(refused_ + 1, UINT8_MAX - 1); }
  void note(PathError error) { last_error_ = std::move(error); }
  void stumble(PathError error) {
    note(std::move(error));
    stumbles_ = true;
  }
  // No connection came about: it is left alone for `pause`, `back_off` and what is spread.
  void fail(conf::Duration back_off, conf::Duration pause, conf::Instant now) {
    if (!failing()) sick_since_ = now;
    stumbles_ = false;
    back_off_ = back_off;
    failing_since_ = now;
    backs_off_until_ = now + pause;
  }
  void break_off(PathError error, conf::Duration pause, conf::Instant now) {
    note(std::move(error));
    broke_at_ = now;
    breaks_ = std::min<uint8_t>(breaks_ + 1, UINT8_MAX - 1);
    put_off_until(now + pause);
  }
  void put_off_until(conf::Instant when) { backs_off_until_ = std::max(backs_off_until_, when); }
  void try_now(conf::Instant now) { backs_off_until_ = now; }
  void forget_failures() { back_off_ = conf::Duration(0); }  // the next one is the first again

 private:
  conf::Duration back_off_{0};
  conf::Instant backs_off_until_{};
  conf::Instant failing_since_{};  // connections begun before this add nothing to the back-off
  conf::Instant sick_since_{};
  conf::Instant broke_at_{};  // connections begun before this are of the same break
  uint8_t breaks_ = 0;
  uint8_t refused_ = 0;
  bool stumbles_ = false;
  PathError last_error_;
};

}  // namespace relay::queue
