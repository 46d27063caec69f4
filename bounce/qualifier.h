// What a refusal means. The class of the reply decides whether it is final (RFC 5321 §4.2.1): 4yz defer, 5yz
// fail. Its words (bounce/phrases.h) and its enhanced status say who it is about, and whether the receiver
// asks for a slower pace. Rules over texts, and the table of unknown texts, build on this type.
#pragma once

#include <cstdint>
#include <string>

#include "bounce/reply.h"

namespace bounce {

enum class Stage : uint8_t { kDns, kConnect, kGreeting, kEhlo, kTls, kMail, kRcpt, kData, kDot, kLocal };
const char* to_text(Stage stage);

// True before MAIL was said: a refusal is then about us or the site, and never final for a recipient.
bool before_mail(Stage stage);

enum class ErrorType : uint8_t {
  kHard,
  kSoft,
  kIgnored,  // delivered, or a cause of our own: counts against nobody
};
const char* to_text(ErrorType type);  // "hard", "soft", "ignored", as the delivery log has them
// Who the refusal is about, hence who backs off.
enum class Scope : uint8_t { kRecipient, kMessage, kConnection, kSite, kSender };

struct Qualification {
  ErrorType type = ErrorType::kSoft;
  Scope scope = Scope::kRecipient;
  std::string rule;         // what decided the scope: "text: rate limit", "status 4.7.1", "network", ...
  bool throttling = false;  // the receiver asks us to slow down
};

// A reply at a stage. 5yz -> Hard; 4yz and 421 -> Soft; 4yz at Stage::kLocal -> Ignored. Scope: the sender's
// when it is about us (lists, reputation, pace, proof of origin, verdicts on content), the recipient's when
// about the address, the site's when about their system. A 421 asks for a slower pace unless its words speak
// of an idle connection, greylisting, a full mailbox or a full disk.
Qualification qualify(Stage stage, const Reply& reply);

}  // namespace bounce
