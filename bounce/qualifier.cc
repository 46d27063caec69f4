#include "bounce/qualifier.h"

#include <utility>

#include "bounce/phrases.h"

namespace bounce {

namespace {

struct Verdict {
  Scope scope;
  std::string rule;
};

// RFC 3463 §3: the subject of an enhanced status says what it is about; `sure` when it names a side.
struct StatusScope {
  Scope scope;
  bool sure;
};

// Scope of a refusal within a transaction, by its stage and status alone.
StatusScope transaction_scope(Stage stage, const EnhancedStatus& status) {
  const bool present = status.present();
  if (present && status.subject == 3 && status.detail != 4)
    return {Scope::kSite, true};  // mail system; 3.4: too big
  if (present && status.subject == 7)
    return {Scope::kSender, true};  // policy: must not quarantine the address
  if (stage == Stage::kMail) return {Scope::kSender, false};
  const bool about_sender = present && status.subject == 1 && (status.detail == 7 || status.detail == 8);
  if (about_sender) return {Scope::kSender, true};
  const bool names_mailbox = present && (status.subject == 1 || status.subject == 2);
  if (stage == Stage::kRcpt) {
    if (present && status.subject == 4) return {Scope::kSite, true};  // network and routing
    if (present && status.subject == 5 && status.detail == 3)
      return {Scope::kConnection, true};  // too many recipients
    return {Scope::kRecipient, names_mailbox};
  }
  // DATA and the dot: about the message, unless the status names the mailbox.
  return {names_mailbox ? Scope::kRecipient : Scope::kMessage, names_mailbox};
}

std::string text_rule(const Phrase& phrase) { return std::string("text: ") + phrase.text; }

std::string status_rule(const EnhancedStatus& status) {
  return status.present() ? "status " + status.text() : std::string("reply-class");
}

// Before MAIL nobody but us and the site is there to be meant.
Verdict scope_before_mail(const Reply& reply, const Phrase* phrase) {
  if (phrase != nullptr && phrase->scope == Scope::kSender) return {Scope::kSender, text_rule(*phrase)};
  if (reply.enhanced.present() && reply.enhanced.subject == 7)
    return {Scope::kSender, status_rule(reply.enhanced)};
  return {Scope::kSite, "reply-class"};
}

Verdict scope_in_transaction(Stage stage, const Reply& reply, const Phrase* phrase) {
  const StatusScope by_status = transaction_scope(stage, reply.enhanced);
  // At MAIL the address that is refused is the sender's.
  const bool meant = phrase != nullptr && (stage != Stage::kMail || phrase->scope != Scope::kRecipient);
  if (meant && (phrase->certain || !by_status.sure)) return {phrase->scope, text_rule(*phrase)};
  return {by_status.scope, status_rule(reply.enhanced)};
}

bool asks_for_slower_pace(const Reply& reply, const Phrase* phrase) {
  if (phrase != nullptr && phrase->pace != Pace::kUnsaid) return phrase->pace == Pace::kSlower;
  const EnhancedStatus& status = reply.enhanced;
  const bool idle =
      status.present() && status.subject == 4 && status.detail == 2;  // RFC 3463 §3.5: bad connection
  return reply.code == 421 && !idle;
}

Qualification by_class(Stage stage, const Reply& reply) {
  if (reply.positive()) return {ErrorType::kIgnored, Scope::kRecipient, "positive"};
  if (!reply.transient() && !reply.permanent()) {
    // No reply, or one that is no answer: the network's, never the recipient's.
    const bool site = stage == Stage::kDns || stage == Stage::kConnect;
    return {ErrorType::kSoft, site ? Scope::kSite : Scope::kConnection, "network"};
  }
  ErrorType type = reply.permanent() ? ErrorType::kHard : ErrorType::kSoft;
  if (stage == Stage::kLocal) {
    if (type == ErrorType::kSoft) type = ErrorType::kIgnored;
    return {type, Scope::kMessage, "reply-class"};
  }
  // A name that does not exist is the recipient's; a resolver in trouble is not.
  if (stage == Stage::kDns) {
    return {type, reply.permanent() ? Scope::kRecipient : Scope::kSite, "reply-class"};
  }
  const Phrase* phrase = find_phrase(reply.text());
  Verdict verdict =
      before_mail(stage) ? scope_before_mail(reply, phrase) : scope_in_transaction(stage, reply, phrase);
  if (reply.code == 421 && (phrase == nullptr || !phrase->certain) && verdict.scope != Scope::kSender) {
    verdict = {Scope::kConnection, "service-closing"};
  }
  return {type, verdict.scope, std::move(verdict.rule), asks_for_slower_pace(reply, phrase)};
}

// RFC 3463 §3.2-§3.8: the reason that an enhanced status alone gives.
Reason reason_of_status(const EnhancedStatus& status) {
  if (!status.present()) return Reason::kNotDefined;
  const auto is = [&](uint16_t subject, uint16_t detail) {
    return status.subject == subject && status.detail == detail;
  };
  if (is(1, 7) || is(1, 8)) return Reason::kRefused;  // the sender's address
  if (is(1, 2) || is(1, 10) || is(4, 4)) return Reason::kInvalidDomain;
  if (status.subject == 1) return Reason::kUserUnknown;
  if (is(2, 1)) return Reason::kAccountDisabled;
  if (is(2, 2)) return Reason::kMailboxFull;
  if (is(2, 3) || is(3, 4)) return Reason::kRefused;  // too big
  if (status.subject == 3 || status.subject == 4) return Reason::kUnreachable;
  if (status.subject == 6 || status.subject == 7) return Reason::kRefused;
  return Reason::kNotDefined;
}

Reason reason_of(Stage stage, const Reply& reply, const Qualification& meaning) {
  if (stage == Stage::kDns && reply.permanent()) return Reason::kInvalidDomain;
  if (reply.code == 0 || meaning.scope == Scope::kSite || meaning.scope == Scope::kConnection)
    return Reason::kUnreachable;
  if (meaning.scope == Scope::kSender) return Reason::kRefused;
  return reason_of_status(reply.enhanced);
}

// A Hard is for an address that is not there; what speaks of us, or may pass, is Soft.
ErrorType type_of(const Reply& reply, const Qualification& meaning) {
  if (meaning.type != ErrorType::kHard) return meaning.type;
  const bool gone = meaning.reason == Reason::kUserUnknown || meaning.reason == Reason::kAccountDisabled;
  return reply.permanent() && meaning.scope == Scope::kRecipient && gone ? ErrorType::kHard
                                                                         : ErrorType::kSoft;
}

}  // namespace

std::shared_ptr<const Qualifier> Qualifier::shipped() {
  static const std::shared_ptr<const Qualifier> shipped = std::make_shared<Qualifier>();
  return shipped;
}

Qualification Qualifier::qualify(const Occasion& occasion) const {
  Qualification meaning = by_class(occasion.stage, *occasion.reply);
  meaning.pace = meaning.throttling ? Pace::kSlower : Pace::kUnsaid;
  if (occasion.reply->positive()) return meaning;
  meaning.reason = reason_of(occasion.stage, *occasion.reply, meaning);
  const ErrorType by_code = meaning.type;
  meaning.type = type_of(*occasion.reply, meaning);
  // What cannot be mended by waiting is not tried again.
  const bool about_mail = meaning.scope == Scope::kMessage || occasion.stage == Stage::kDns;
  if (by_code == ErrorType::kHard && meaning.type != ErrorType::kHard && about_mail) meaning.act = Act::kFail;
  return meaning;
}

Qualification qualify(Stage stage, const Reply& reply) {
  Qualification meaning = Qualifier::shipped()->qualify({stage, &reply});
  meaning.type = by_class(stage, reply).type;
  return meaning;
}

}  // namespace bounce
