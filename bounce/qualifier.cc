#include "bounce/qualifier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bounce/diagnostic.h"
#include "bounce/protocol_words.h"
#include "bounce/rule_set.h"
#include "bounce/text_template.h"

namespace bounce {

namespace {

constexpr size_t kStatusOctets = 250;  // where a status may stand

Qualification plain(ErrorType type, Reason reason, Scope scope, const char* rule) {
  Qualification meaning;
  meaning.type = type;
  meaning.reason = reason;
  meaning.scope = scope;
  meaning.rule = rule;
  return meaning;
}

bool permanent(const Reply& reply) {
  return reply.permanent() || (reply.code == 0 && reply.enhanced.klass == 5);
}

// A name that does not exist is the recipient's, and waiting does not mend it; a resolver in trouble is not.
Qualification of_dns(const Reply& reply) {
  if (!reply.permanent()) return plain(ErrorType::kSoft, Reason::kUnreachable, Scope::kSite, "dns");
  Qualification meaning = plain(ErrorType::kSoft, Reason::kInvalidDomain, Scope::kRecipient, "dns");
  meaning.act = Act::kFail;
  return meaning;
}

// A trouble of our own counts against nobody.
Qualification of_ourselves(const Reply& reply) {
  Qualification meaning = plain(ErrorType::kIgnored, Reason::kUnreachable, Scope::kMessage, "local");
  if (reply.permanent()) meaning.act = Act::kFail;
  return meaning;
}

// No rule fits: the stage says who is meant.
Qualification unread(Stage stage, const Reply& reply, const Unread& how) {
  Qualification meaning = plain(how.type, Reason::kNotDefined, Scope::kMessage, "unread");
  meaning.unread = true;
  if (before_mail(stage)) {
    meaning.scope = Scope::kSite;
    meaning.reason = Reason::kUnreachable;
  }
  if (stage == Stage::kMail) meaning.scope = Scope::kSender;
  if (stage == Stage::kRcpt) meaning.scope = Scope::kRecipient;
  if (reply.code == 421) meaning.scope = Scope::kConnection;
  if (how.fail_if_permanent && permanent(reply)) meaning.act = Act::kFail;
  return meaning;
}

// Our account at a smart host, and what it may send, is for the operator to mend: mail waits for that.
bool is_of_account(const ReplyRule& rule, const Occasion& occasion) {
  return occasion.smart_host && rule.shipped && rule.reason == Reason::kRefused &&
         (rule.scope == Scope::kSender || rule.scope == Scope::kSite);
}

bool names_421(const ReplyRule& rule) {
  return std::ranges::any_of(rule.codes, [](const CodeMask& mask) {
    return mask.digits == std::array<int8_t, 3>{4, 2, 1};
  });
}

Qualification by_rule(const ReplyRule& rule, const Occasion& occasion) {
  Qualification meaning = plain(rule.type, rule.reason, rule.scope, rule.name.c_str());
  meaning.pace = rule.pace;
  meaning.act = rule.act;
  meaning.act_for = rule.act_for;
  meaning.unread = rule.guess;
  if (rule.act == Act::kSlow) meaning.pace = Pace::kSlower;
  // RFC 5321 §3.8: 421 closes the channel, which a refusal of this message alone (greylisting) does not need:
  // a rule that holds it for one names the code.
  if (meaning.pace == Pace::kSame && meaning.scope == Scope::kMessage && occasion.reply->code == 421 &&
      !names_421(rule)) {
    meaning.pace = Pace::kUnsaid;
    meaning.scope = Scope::kConnection;
  }
  if (rule.final_if_permanent && permanent(*occasion.reply) && !is_of_account(rule, occasion))
    meaning.act = Act::kFail;
  return meaning;
}

// What always holds, whatever a rule says.
void hold_to_laws(Stage stage, const Reply& reply, Qualification* meaning) {
  if (meaning->scope == Scope::kRecipient && before_mail(stage)) meaning->scope = Scope::kSite;
  if (meaning->scope == Scope::kRecipient && stage == Stage::kMail) {
    meaning->scope = Scope::kSender;
    meaning->reason = Reason::kRefused;
  }
  if (meaning->scope == Scope::kMessage && before_mail(stage)) meaning->scope = Scope::kSender;
  // RFC 3463 §3.4: x.3.z is about the mail system, as what a rule reads so; x.7.z is about us. RFC 5321
  // §4.2.2: without words of its own a 421 says that the service is not available.
  const bool has_status = reply.enhanced.present();
  const bool of_us = has_status && reply.enhanced.subject == 7;
  const bool of_system =
      !before_mail(stage) &&
      ((has_status && reply.enhanced.subject == 3) ||
       (!of_us && (meaning->scope == Scope::kSite || (reply.code == 421 && says_nothing(reply)))));
  // RFC 5321 §3.8: the server closes this connection; the next one may be served.
  if (meaning->scope == Scope::kSite && reply.code == 421 && !before_mail(stage))
    meaning->scope = Scope::kConnection;
  const bool may_be_hard = permanent(reply) && meaning->scope == Scope::kRecipient;
  if (meaning->type == ErrorType::kHard && !may_be_hard) meaning->type = ErrorType::kSoft;
  if (before_mail(stage) && meaning->act == Act::kFail) meaning->act = Act::kNone;
  // RFC 5321 §4.2.2: 421 closes the channel; RFC 3463 §3.5: x.4.2 is a connection that broke.
  const bool idle = has_status && reply.enhanced.subject == 4 && reply.enhanced.detail == 2;
  if (meaning->pace == Pace::kUnsaid && reply.code == 421 && !idle && !of_system && !says_going_down(reply))
    meaning->pace = Pace::kSlower;
}

}  // namespace

Qualifier::Qualifier(std::unique_ptr<const RuleSet> rules, const std::vector<RowVerdict>& rows, Unread unread)
    : rules_(std::move(rules)), unread_(unread) {
  for (const RowVerdict& row : rows) rows_[row.row] = row;
}
Qualifier::~Qualifier() = default;

std::shared_ptr<const Qualifier> Qualifier::make(std::vector<ReplyRule> local, std::vector<ReplyRule> shipped,
                                                 const std::vector<RowVerdict>& rows, Unread unread) {
  std::vector<ReplyRule> rules = std::move(local);
  rules.insert(rules.end(), std::make_move_iterator(shipped.begin()), std::make_move_iterator(shipped.end()));
  return std::make_shared<Qualifier>(std::make_unique<const RuleSet>(std::move(rules)), rows, unread);
}

std::shared_ptr<const Qualifier> Qualifier::shipped() {
  static const std::shared_ptr<const Qualifier> shipped = make({}, shipped_reply_rules());
  return shipped;
}

Qualification Qualifier::qualify(const Occasion& occasion) const {
  const bool spoken =
      occasion.reply->transient() || occasion.reply->permanent() || occasion.stage == Stage::kUnknown;
  return read(occasion, spoken ? text_template(*occasion.reply, occasion.local_part) : std::string());
}

Qualification Qualifier::qualify(const Occasion& occasion, std::string_view text_template) const {
  return read(occasion, text_template);
}

Qualification Qualifier::read(const Occasion& occasion, std::string_view text_template) const {
  const Reply& reply = *occasion.reply;
  if (reply.positive()) return plain(ErrorType::kIgnored, Reason::kNotDefined, Scope::kRecipient, "positive");
  const bool told = occasion.stage == Stage::kUnknown && !reply.lines.empty();
  if (!reply.transient() && !reply.permanent() && !told) {
    // No reply, or one that is no answer: the network's, never the recipient's.
    const bool site = occasion.stage == Stage::kDns || occasion.stage == Stage::kConnect;
    return plain(ErrorType::kSoft, Reason::kUnreachable, site ? Scope::kSite : Scope::kConnection, "network");
  }
  if (occasion.stage == Stage::kLocal) return of_ourselves(reply);
  if (occasion.stage == Stage::kDns) return of_dns(reply);
  if (!reply.enhanced.present()) {
    const EnhancedStatus later = status_of(reply, joined_text(reply, kStatusOctets));
    if (later.present()) {
      const Reply stated = {reply.code, later, reply.lines};
      Occasion again = occasion;
      again.reply = &stated;
      return read(again, text_template);
    }
  }
  Qualification meaning;
  const uint64_t row = text_template.empty() ? 0 : row_key(text_template);
  if (const auto verdict = rows_.find(row); verdict != rows_.end()) {
    meaning = plain(verdict->second.type, verdict->second.reason, verdict->second.scope, "row");
  } else if (const ReplyRule* rule = rules_->find(occasion, folded_template(text_template))) {
    meaning = by_rule(*rule, occasion);
  } else {
    meaning = unread(occasion.stage, reply, unread_);
  }
  meaning.row = row;
  hold_to_laws(occasion.stage, reply, &meaning);
  return meaning;
}

Qualification qualify(Stage stage, const Reply& reply) {
  return Qualifier::shipped()->qualify({stage, &reply});
}

}  // namespace bounce
