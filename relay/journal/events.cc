#include "relay/journal/events.h"

#include <string>
#include <utility>

namespace relay::journal {

namespace {

using conf::DeliveryEvent;
using conf::EventKind;

// By which an application knows the message.
void name(const spool::MessageRecord& record, DeliveryEvent* event) {
  event->id = record.id;
  event->header = record.header;
  event->stream = record.stream;
  event->envid = record.envelope.envid;
  event->reverse_path = record.envelope.reverse_path.text();
  event->auth = record.envelope.authenticated_as;
}

DeliveryEvent about(EventKind kind, const spool::MessageRecord& record, conf::WallTime time) {
  DeliveryEvent event;
  event.kind = kind;
  event.time = time;
  name(record, &event);
  event.size_bytes = record.size_bytes;
  return event;
}

DeliveryEvent about(EventKind kind, const spool::MessageRecord& record,
                    const spool::RecipientRecord& recipient, conf::WallTime time) {
  DeliveryEvent event = about(kind, record, time);
  event.recipient = recipient.recipient.mailbox.text();
  event.attempt = recipient.attempts;
  return event;
}

EventKind kind_of(spool::RecipientState state) {
  switch (state) {
    case spool::RecipientState::kDelivered:
      return EventKind::kDelivered;
    case spool::RecipientState::kFailed:
      return EventKind::kFailed;
    case spool::RecipientState::kExpired:
      return EventKind::kExpired;
    case spool::RecipientState::kDropped:
      return EventKind::kDropped;
    case spool::RecipientState::kPending:
      return EventKind::kDeferred;
  }
  return EventKind::kDeferred;
}

}  // namespace

DeliveryEvent accepted(const spool::MessageRecord& record, conf::WallTime now) {
  DeliveryEvent event = about(EventKind::kAccepted, record, now);
  event.recipient = record.recipients.front().recipient.mailbox.text();
  event.recipients = static_cast<uint32_t>(record.recipients.size());
  event.client = record.envelope.client_address;
  event.listener = record.envelope.listener;
  return event;
}

DeliveryEvent attempted(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                        const smtp::RecipientOutcome& outcome, const AttemptFacts& facts,
                        conf::WallTime now) {
  using Kind = smtp::RecipientOutcome::Kind;
  const bool taken = outcome.kind == Kind::kDelivered || outcome.kind == Kind::kDeliveredNoDsn;
  DeliveryEvent event = about(taken ? EventKind::kDelivered : EventKind::kDeferred, record, recipient, now);
  event.site = facts.site;
  event.mx_host = facts.mx_host;
  event.mx_address = facts.mx_address;
  event.source = facts.source;
  event.mx_rule = facts.mx_rule;
  event.tls = facts.tls;
  event.delays = facts.delays;
  event.reply_code = outcome.local ? uint16_t{0} : outcome.reply.code;
  event.enhanced_status = outcome.reply.enhanced.text();
  event.reply = outcome.reply.text();
  event.stage = outcome.stage;
  event.uncertain = outcome.uncertain;
  event.notice = facts.notice;
  return event;
}

bool is_held_back(const DeliveryEvent& event) {
  return event.kind == EventKind::kDeferred && event.limit != conf::Bind::kNothing &&
         event.limit != conf::Bind::kBackOff;
}

DeliveryEvent held_back(conf::MessageId id, const spool::MessageRecord* record,
                        const spool::RecipientRecord* recipient, const std::string& domain,
                        const HeldBack& by, uint32_t attempt, conf::WallTime now) {
  DeliveryEvent event;
  if (record != nullptr && recipient != nullptr) {
    event = about(EventKind::kDeferred, *record, *recipient, now);
  } else {
    event.kind = EventKind::kDeferred;
    event.time = now;
    event.id = id;
    event.recipient = '@' + domain;
    event.stream = by.stream;
  }
  event.attempt = attempt;
  event.site = by.site;
  event.source = by.source;
  event.mx_rule = by.mx_rule;
  event.limit = by.limit;
  event.reply = by.why;
  event.next_attempt = by.until;
  event.stage = conf::Stage::kLocal;
  event.type = conf::ErrorType::kIgnored;
  return event;
}

std::string operator_text(const std::string& who) { return who.empty() ? "operator" : "operator " + who; }

DeliveryEvent dropped(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                      const std::string& who, conf::WallTime now) {
  DeliveryEvent event = about(EventKind::kDropped, record, recipient, now);
  event.reply = "dropped by an operator";
  if (!who.empty()) event.reply += ": " + who;
  return event;
}

DeliveryEvent report_sent(const spool::MessageRecord& report, conf::WallTime now) {
  DeliveryEvent event = about(EventKind::kReportSent, report, report.recipients.front(), now);
  event.attempt = 0;
  event.related = report.report_about;
  return event;
}

DeliveryEvent ended_before_restart(const spool::MessageRecord& record,
                                   const spool::RecipientRecord& recipient, conf::WallTime now) {
  DeliveryEvent event = about(kind_of(recipient.state), record, recipient, now);
  event.mx_host = recipient.mx_host;
  event.reply_code = recipient.reply_code;
  event.enhanced_status = recipient.enhanced_status;
  event.reply = recipient.last_reply;
  event.stage = conf::Stage::kRestored;
  return event;
}

DeliveryEvent unsigned_mail(const spool::MessageRecord& record, bool alarm, const std::string& why,
                            conf::WallTime now) {
  DeliveryEvent event;
  event.kind = alarm ? EventKind::kAlarm : EventKind::kUnsigned;
  event.time = now;
  name(record, &event);
  event.reply = why;
  event.stage = conf::Stage::kSign;
  return event;
}

DeliveryEvent lost(conf::MessageId id, const std::string& domain, uint32_t attempt, const std::string& why,
                   conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kAlarm;
  event.time = now;
  event.id = id;
  event.recipient = '@' + domain;
  event.attempt = attempt;
  event.reply = "the message cannot be read and left the queue: " + why;
  event.stage = conf::Stage::kLocal;
  return event;
}

DeliveryEvent unknown_texts(const DeliveryEvent& last, uint32_t count) {
  DeliveryEvent event;
  event.kind = EventKind::kAlarm;
  event.time = last.time;
  event.id = last.id;
  event.recipient = last.recipient;
  event.site = last.site;
  event.mx_host = last.mx_host;
  event.source = last.source;
  event.reply_code = last.reply_code;
  event.reply =
      std::to_string(count) +
      " refusals of this site within an hour have texts that no rule reads; the latest: " + last.reply +
      "; a rule for them goes to the file of [replies] rules";
  event.stage = last.stage;
  return event;
}

DeliveryEvent suppressed(const conf::Envelope& envelope, const conf::Recipient& recipient,
                         conf::AddressNotice notice, conf::Reason reason, std::string why,
                         conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kSuppressed;
  event.time = now;
  event.reverse_path = envelope.reverse_path.text();
  event.recipient = recipient.mailbox.text();
  event.client = envelope.client_address;
  event.listener = envelope.listener;
  event.auth = envelope.authenticated_as;
  event.reason = reason;
  event.reply = std::move(why);
  event.notice = std::make_shared<const conf::AddressNotice>(std::move(notice));
  return event;
}

DeliveryEvent suppressed(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                         conf::AddressNotice notice, conf::Reason reason, std::string why,
                         conf::WallTime now) {
  DeliveryEvent event =
      suppressed(record.envelope, recipient.recipient, std::move(notice), reason, std::move(why), now);
  name(record, &event);
  return event;
}

DeliveryEvent address_moved(const std::string& address, conf::AddressNotice notice, conf::Reason reason,
                            conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kAddress;
  event.reason = reason;
  event.time = now;
  event.recipient = address;
  event.notice = std::make_shared<const conf::AddressNotice>(std::move(notice));
  return event;
}

DeliveryEvent wave_declared(const std::string& site, conf::AddressNotice notice, std::string why,
                            conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kWave;
  event.time = now;
  event.site = site;
  event.reply = std::move(why);
  event.notice = std::make_shared<const conf::AddressNotice>(std::move(notice));
  return event;
}

DeliveryEvent refused_client(conf::DoorEvent door, conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kRefusedClient;
  event.time = now;
  event.door = std::make_shared<const conf::DoorEvent>(std::move(door));
  return event;
}

DeliveryEvent queue_ordered(conf::QueueOrder order, conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kQueueOrder;
  event.time = now;
  event.order = std::make_shared<const conf::QueueOrder>(std::move(order));
  return event;
}

DeliveryEvent trouble(ServerTrouble about, conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kTrouble;
  event.time = now;
  event.stage = about.stage;
  event.site = std::move(about.site);
  event.source = std::move(about.source);
  event.mx_host = std::move(about.mx_host);
  event.mx_address = std::move(about.mx_address);
  event.reply = std::move(about.text);
  return event;
}

DeliveryEvent decided(std::shared_ptr<const conf::SiteDecision> decision, conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kDecision;
  event.time = now;
  event.site = decision->site;
  event.source = decision->source;
  event.decision = std::move(decision);
  return event;
}

}  // namespace relay::journal
