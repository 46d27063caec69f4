// What a refusal means, as a value: its type, reason and scope, the pace and the act that it asks for, and
// what decided. The type belongs to the qualification, not to the reason: a mailbox that is full is Soft and
// is tried again although its reply is a 552.
#pragma once

#include <cstdint>
#include <string>

#include "bounce/reason.h"
#include "conf/vocab/refusal.h"
#include "conf/vocab/time.h"

namespace bounce {

using conf::ErrorType;
using conf::Pace;
using conf::Scope;
using conf::Stage;
using conf::to_text;

// True before MAIL was said: a refusal is then about us or the site, and never final for a recipient.
bool before_mail(Stage stage);

// What a rule asks for besides the ordinary consequences.
enum class Act : uint8_t {
  kNone,
  kSlow,       // the path gets a slower pace, as if the receiver had asked for it
  kPause,      // no new message on the path for `act_for`
  kBlock,      // the path is blocked for `act_for`, as by a threshold
  kSourceOff,  // this source does not speak to this site for `act_for`; other sources go on
  kNextHost,   // the next MX host of the same site
  kDefer,      // this mail is tried again after `act_for`, whatever the schedule says
  kFail,       // this mail ends now, whatever the type says; no address is blamed
  kHold,       // this mail waits for a decision of the operator
};
const char* to_text(Act act);

struct Qualification {
  ErrorType type = ErrorType::kSoft;
  Scope scope = Scope::kRecipient;
  std::string rule;     // name of what decided: a rule, "status 4.7.1", "network", "row", ...
  bool unread = false;  // no row and no rule reads its text, or a rule that guesses
  Reason reason = Reason::kNotDefined;
  Pace pace = Pace::kUnsaid;
  Act act = Act::kNone;
  conf::Duration act_for{0};  // zero: as long as the configuration says for this act
  uint64_t row = 0;           // key of its text in the table of texts; 0: there is none
};

// The mail is not tried again for this recipient: Hard, or a rule says so.
bool ends_at_once(const Qualification& meaning);

}  // namespace bounce
