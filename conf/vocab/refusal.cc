#include "conf/vocab/refusal.h"

namespace conf {

const char* to_text(Stage stage) {
  switch (stage) {
    case Stage::kNone:
      return "";
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
    case Stage::kSign:
      return "sign";
    case Stage::kRestored:
      return "before the restart";
    case Stage::kLogin:
      return "login";
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

}  // namespace conf
