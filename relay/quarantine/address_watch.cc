#include "relay/quarantine/address_watch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "relay/journal/events.h"

namespace relay {

namespace {

using conf::QuarantineAction;

std::string_view domain_of(const conf::Mailbox& mailbox) { return mailbox.domain.text(); }

conf::Reason reason_of(const bounce::AddressStanding& standing) {
  return static_cast<conf::Reason>(standing.reason);
}

conf::AddressNotice notice_of(const bounce::AddressStanding& standing, conf::Suppression suppression) {
  conf::AddressNotice notice;
  notice.status = standing.status;
  notice.suppression = suppression;
  return notice;
}

std::string in_words(const bounce::AddressStanding& standing) {
  std::string text =
      standing.status == conf::AddressStatus::kDenylisted ? "on the denylist" : "in quarantine";
  if (standing.reason != 0) {
    text += " (";
    text += to_text(reason_of(standing));
    text += ')';
  }
  return text;
}

// "<ann@x.example> is in quarantine (user-unknown)"
std::string why(const conf::Recipient& recipient, const bounce::AddressStanding& standing) {
  return "<" + recipient.mailbox.text() + "> is " + in_words(standing) + ", nothing is sent there";
}

bounce::AddressOutcome told(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                            uint32_t attempt, conf::WallTime now) {
  bounce::AddressOutcome outcome;
  outcome.message = record.id;
  outcome.attempt = attempt;
  outcome.recipient = &recipient.recipient.mailbox;
  outcome.sender_domain = domain_of(record.envelope.reverse_path);
  outcome.user = record.envelope.authenticated_as;
  outcome.now = now;
  return outcome;
}

}  // namespace

AddressWatch::AddressWatch(Parts parts, conf::ConfigPtr config)
    : parts_(parts), config_(std::move(config)), qualifier_(bounce::Qualifier::shipped()) {}

QuarantineAction AddressWatch::action_of(const std::string& name) const {
  for (const conf::Listener& listener : config_->listeners)
    if (listener.name == name) return listener.quarantine;
  return config_->quarantine.action;
}

std::optional<bounce::AddressStanding> AddressWatch::barred(const conf::Envelope& envelope,
                                                            const conf::Recipient& recipient) const {
  const bounce::AddressStanding standing =
      parts_.book->standing(recipient.mailbox, domain_of(envelope.reverse_path), envelope.authenticated_as);
  if (!bounce::is_barred(standing.status)) return std::nullopt;
  const std::vector<std::string>& users = config_->quarantine.bypass_users;
  if (std::ranges::find(users, envelope.authenticated_as) != users.end()) return std::nullopt;
  return standing;
}

std::string AddressWatch::barred(const conf::Mailbox& address) const {
  const bounce::AddressStanding standing = parts_.book->standing(address, {}, {});
  return bounce::is_barred(standing.status) ? in_words(standing) : std::string();
}

std::optional<std::string> AddressWatch::at_door(const conf::Envelope& envelope,
                                                 const conf::Recipient& recipient) {
  const std::optional<bounce::AddressStanding> standing = barred(envelope, recipient);
  if (!standing || action_of(envelope.listener) != QuarantineAction::kRefuse) return std::nullopt;
  const std::string text = why(recipient, *standing);
  parts_.journal->append(journal::suppressed(envelope, recipient,
                                             notice_of(*standing, conf::Suppression::kRefused),
                                             reason_of(*standing), text, parts_.clock->wall()));
  return "550 5.1.1 " + text;
}

conf::Suppression AddressWatch::suppression_of(const conf::Envelope& envelope) const {
  return action_of(envelope.listener) == QuarantineAction::kLog ? conf::Suppression::kLogged
                                                                : conf::Suppression::kReported;
}

std::optional<Veto::Refusal> AddressWatch::refuses(const spool::MessageRecord& record,
                                                   const spool::RecipientRecord& recipient) const {
  if (record.envelope.mandated) return std::nullopt;
  const std::optional<bounce::AddressStanding> standing = barred(record.envelope, recipient.recipient);
  if (!standing) return std::nullopt;
  return Refusal{
      bounce::Reply::make(550, "5.1.1 " + why(recipient.recipient, *standing)),
      std::make_shared<const conf::AddressNotice>(notice_of(*standing, suppression_of(record.envelope)))};
}

void AddressWatch::carried_out(const spool::MessageRecord& record, const spool::RecipientRecord& recipient) {
  const std::optional<bounce::AddressStanding> standing = barred(record.envelope, recipient.recipient);
  if (!standing) return;
  parts_.journal->append(
      journal::suppressed(record, recipient, notice_of(*standing, suppression_of(record.envelope)),
                          reason_of(*standing), why(recipient.recipient, *standing), parts_.clock->wall()));
}

bool AddressWatch::doubts(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                          const smtp::RecipientOutcome& outcome, const AttemptFacts& facts,
                          conf::WallTime now) {
  using Kind = smtp::RecipientOutcome::Kind;
  bounce::AddressOutcome heard = told(record, recipient, recipient.attempts + 1U, now);
  heard.site = facts.site;
  heard.mx_host = facts.mx_host;
  heard.source = facts.source;
  if (outcome.kind == Kind::kDelivered || outcome.kind == Kind::kDeliveredNoDsn) {
    parts_.book->delivered(heard);
    return false;
  }
  if (outcome.kind != Kind::kRefused || outcome.meaning.scope != bounce::Scope::kRecipient) return false;
  std::string text = outcome.reply.text();
  if (outcome.reply.code != 0) text.insert(0, std::to_string(outcome.reply.code) + ' ');
  heard.text = text;
  return parts_.book->refused(heard, outcome.meaning);
}

void AddressWatch::recovered(const spool::MessageRecord& record, conf::WallTime now) {
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kFailed || !recipient.blamed) continue;
    // The stage, the source and the rule of then are gone: what was decided stands, and the words say why.
    const bounce::Reply reply = bounce::Reply::make(recipient.reply_code, recipient.last_reply);
    bounce::Qualification meaning = qualifier_->qualify({.stage = bounce::Stage::kRcpt,
                                                         .reply = &reply,
                                                         .mx_host = recipient.mx_host,
                                                         .local_part = recipient.recipient.mailbox.local});
    meaning.type = bounce::ErrorType::kHard;
    meaning.scope = bounce::Scope::kRecipient;
    bounce::AddressOutcome again = told(record, recipient, recipient.attempts, now);
    const std::string text = std::to_string(recipient.reply_code) + ' ' + recipient.last_reply;
    again.text = text;
    again.site = recipient.mx_host;
    again.mx_host = recipient.mx_host;
    parts_.book->retold(again, meaning);
  }
}

}  // namespace relay
