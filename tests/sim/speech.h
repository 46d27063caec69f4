// How a receiving mail server of the simulation says its replies: mostly once and whole.
#pragma once

#include <string>

#include "relay/net/transport.h"
#include "tests/sim/faults.h"
#include "tests/sim/world.h"

namespace sim {

class Speech {
 public:
  // `enhanced`: its replies have enhanced status codes (RFC 2034); else they are left out.
  Speech(const Faults& faults, bool enhanced, conf::Random* random, Played* played)
      : random_(random),
        played_(played),
        enhanced_(enhanced),
        spells_(faults.spells > 0 && random->chance(faults.spells)) {
    const bool loses = faults.repeats == 0 || (faults.loses > 0 && random->chance(0.5));
    (loses ? loses_ : repeats_) = loses ? faults.loses : faults.repeats;
  }
  // Both sides may take different replies for the same: one was lost or said twice.
  bool muddled() const { return muddled_; }

  // "250 2.1.0 ok", or more lines than one. False: it was lost.
  bool say(std::string text, relay::Transport* stream) {
    if (!enhanced_) leave_status_out(&text);
    text += "\r\n";
    if (loses_ > 0 && random_->chance(loses_)) {
      muddle(Fault::kLost);
      return false;
    }
    write(text, stream);
    if (repeats_ > 0 && random_->chance(repeats_)) {
      muddle(Fault::kTwice);
      write(text, stream);
    }
    return true;
  }
  // What nobody gets wrong.
  void say_plainly(const std::string& text, relay::Transport* stream) { write(text + "\r\n", stream); }

 private:
  void muddle(Fault how) {
    muddled_ = true;
    ++(*played_)[static_cast<size_t>(how)];
  }
  void write(const std::string& text, relay::Transport* stream) const {
    const size_t piece = spells_ ? 1 : text.size();
    for (size_t at = 0; at < text.size(); at += piece) {
      relay::OutQueue out;
      out.append(text.substr(at, piece));
      stream->write(&out);
    }
  }
  static void leave_status_out(std::string* text) {
    const bool has_status = text->size() > 9 && text->at(5) == '.' && text->at(7) == '.';
    if (has_status) text->erase(4, 6);
  }

  conf::Random* random_;
  Played* played_;
  const bool enhanced_, spells_;
  double loses_ = 0, repeats_ = 0;
  bool muddled_ = false;
};

}  // namespace sim
