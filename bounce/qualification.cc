#include "bounce/qualification.h"

namespace bounce {

bool before_mail(Stage stage) {
  return stage == Stage::kConnect || stage == Stage::kGreeting || stage == Stage::kEhlo ||
         stage == Stage::kTls || stage == Stage::kLogin;
}

const char* to_text(Act act) {
  switch (act) {
    case Act::kNone:
      return "none";
    case Act::kSlow:
      return "slow";
    case Act::kPause:
      return "pause";
    case Act::kBlock:
      return "block";
    case Act::kSourceOff:
      return "source-off";
    case Act::kNextHost:
      return "next-host";
    case Act::kDefer:
      return "defer";
    case Act::kFail:
      return "fail";
    case Act::kHold:
      return "hold";
  }
  return "unknown";
}

bool ends_at_once(const Qualification& meaning) {
  return meaning.type == ErrorType::kHard || meaning.act == Act::kFail;
}

}  // namespace bounce
