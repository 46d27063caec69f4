#include "bounce/qualifier.h"

namespace bounce {

namespace {

// RFC 3463 §3: the subject of an enhanced status says what it is about. Scope of a refusal within a
// transaction.
Scope transaction_scope(Stage stage, const Reply& reply) {
  const EnhancedStatus& status = reply.enhanced;
  if (stage == Stage::kLocal) return Scope::kMessage;
  if (status.present() && status.subject == 3 && status.detail != 4)
    return Scope::kSite;  // mail system; 3.4: too big
  if (stage == Stage::kMail) return Scope::kSender;
  if (stage == Stage::kRcpt) {
    if (!status.present()) return Scope::kRecipient;
    if (status.subject == 4) return Scope::kSite;                              // network and routing
    if (status.subject == 5 && status.detail == 3) return Scope::kConnection;  // too many recipients
    if (status.subject == 1 && (status.detail == 7 || status.detail == 8)) return Scope::kSender;
    // A policy refusal (x.7.z) is about who sends: it must not quarantine the address.
    return status.subject == 7 ? Scope::kSender : Scope::kRecipient;
  }
  // DATA and the dot: about the message, unless the status names the mailbox.
  const bool names_mailbox = status.present() && (status.subject == 1 || status.subject == 2);
  return names_mailbox ? Scope::kRecipient : Scope::kMessage;
}

bool before_mail(Stage stage) {
  return stage == Stage::kConnect || stage == Stage::kGreeting || stage == Stage::kEhlo ||
         stage == Stage::kTls;
}

}  // namespace

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
  }
  return "unknown";
}

Qualification qualify(Stage stage, const Reply& reply) {
  if (reply.positive()) return {ErrorType::kIgnored, Scope::kRecipient, "positive"};
  if (!reply.transient() && !reply.permanent()) {
    // No reply, or one that is no answer: the network's, never the recipient's.
    const bool site = stage == Stage::kDns || stage == Stage::kConnect;
    return {ErrorType::kSoft, site ? Scope::kSite : Scope::kConnection, "network"};
  }
  const ErrorType type = reply.permanent() ? ErrorType::kHard : ErrorType::kSoft;
  if (reply.code == 421) return {ErrorType::kSoft, Scope::kConnection, "service-closing"};
  if (before_mail(stage)) return {type, Scope::kSite, "reply-class"};
  // A name that does not exist is the recipient's; a resolver in trouble is not.
  if (stage == Stage::kDns) {
    return {type, reply.permanent() ? Scope::kRecipient : Scope::kSite, "reply-class"};
  }
  return {type, transaction_scope(stage, reply), "reply-class"};
}

}  // namespace bounce
