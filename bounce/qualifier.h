// What a refusal means. This is the plain default: the class of the reply decides (RFC 5321 §4.2.1): 4yz
// defer, 5yz fail. Rules over texts, and the table of unknown texts, build on this type.
#pragma once

#include <cstdint>
#include <string>

#include "bounce/reply.h"

namespace bounce {

enum class Stage : uint8_t { kDns, kConnect, kGreeting, kEhlo, kTls, kMail, kRcpt, kData, kDot, kLocal };
const char* to_text(Stage stage);

enum class ErrorType : uint8_t { kHard, kSoft, kIgnored };
// Who the refusal is about, hence who backs off.
enum class Scope : uint8_t { kRecipient, kMessage, kConnection, kSite, kSender };

struct Qualification {
  ErrorType type = ErrorType::kSoft;
  Scope scope = Scope::kRecipient;
  std::string rule;  // what decided: "reply-class", "network", ...
};

// A reply at a stage. 5yz -> Hard, 4yz -> Soft; 421 and everything before MAIL is the connection's or the
// site's.
Qualification qualify(Stage stage, const Reply& reply);

}  // namespace bounce
