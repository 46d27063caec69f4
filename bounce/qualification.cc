#include "bounce/qualification.h"

namespace bounce {

bool before_mail(Stage stage) {
  return stage == Stage::kConnect || stage == Stage::kGreeting || stage == Stage::kEhlo ||
         stage == Stage::kTls;
}

const char* to_text(Stage stage) {
  switch (stage) {
    case Stage::kDns:
      return "dns";
    case Stage::kConnect:
      return "connect";
    case Stage::kGreeting:
      return "greeting";
    case Stage::kEhlo:
      return "ehlo";
    case Stage::kTls:
      return "tls";
    case Stage::kMail:
      return "mail";
    case Stage::kRcpt:
      return "rcpt";
    case Stage::kData:
      return "data";
    case Stage::kDot:
      return "dot";
    case Stage::kLocal:
      return "local";
    case Stage::kUnknown:
      break;
  }
  return "unknown";
}

const char* to_text(ErrorType type) {
  switch (type) {
    case ErrorType::kHard:
      return "hard";
    case ErrorType::kSoft:
      return "soft";
    case ErrorType::kIgnored:
      return "ignored";
    case ErrorType::kNotDefined:
      return "not-defined";
  }
  return "unknown";
}

const char* to_text(Scope scope) {
  switch (scope) {
    case Scope::kRecipient:
      return "recipient";
    case Scope::kMessage:
      return "message";
    case Scope::kConnection:
      return "connection";
    case Scope::kSite:
      return "site";
    case Scope::kSender:
      return "sender";
  }
  return "unknown";
}

const char* to_text(Pace pace) {
  switch (pace) {
    case Pace::kUnsaid:
      return "unsaid";
    case Pace::kSlower:
      return "slower";
    case Pace::kSame:
      return "same";
  }
  return "unknown";
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
