// How messages come into the Transit: from clients, from our own reports, and from the spool at the start.
#include <algorithm>
#include <utility>

#include "relay/walk/transit.h"

namespace relay {

using queue::Delivery;

namespace {

// Whose turn it is among the senders of a domain. A report of ours has the null reverse-path: one sender.
uint32_t sender_of(const spool::MessageRecord& record) {
  return static_cast<uint32_t>(std::hash<std::string>()(record.envelope.reverse_path.text()));
}

}  // namespace

conf::MessageId Transit::next_id() { return parts_.spool->next_id(parts_.clock->wall()); }

bool Transit::accepting(std::string* why) const {
  if (stopping_) {
    *why = "the relay is going down";
    return false;
  }
  const spool::SpoolHealth health = parts_.spool->health();
  if (!health.accepting) {
    *why = health.why;
    return false;
  }
  if (deliveries_.messages() >= parts_.config->spool.max_messages) {
    *why = "the queue is full";
    return false;
  }
  return true;
}

void Transit::accept(spool::MessageRecord record, conf::Bytes body, AcceptDone done) {
  for (spool::RecipientRecord& recipient : record.recipients) recipient.due = record.accepted_at;
  auto kept = std::make_shared<spool::MessageRecord>(record);
  signing_.begin(record.id, body);
  parts_.spool->store(std::move(record), body, [this, kept, body, done](conf::Result<spool::Receipt> stored) {
    if (!stored.ok()) {
      signing_.forget(kept->id);
      done(std::move(stored));
      return;
    }
    conf::DeliveryEvent event;
    event.kind = conf::EventKind::kAccepted;
    event.time = kept->accepted_at;
    event.id = kept->id;
    event.reverse_path = kept->envelope.reverse_path.text();
    event.recipient = kept->recipients.front().recipient.mailbox.text();
    event.recipients = static_cast<uint32_t>(kept->recipients.size());
    event.size_bytes = kept->size_bytes;
    event.client = kept->envelope.client_address;
    event.listener = kept->envelope.listener;
    event.auth = kept->envelope.authenticated_as;
    settlement_.append(event);
    accepted_ += kept->recipients.size();
    done(std::move(stored));
    enqueue(std::move(*kept), body);
  });
}

void Transit::enqueue(spool::MessageRecord record, conf::Bytes body) {
  const conf::MessageId id = record.id;
  const uint32_t sender = sender_of(record);
  const conf::Instant now = parts_.clock->now();
  std::vector<uint32_t> domains;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    const uint32_t domain = domains_.intern(recipient.recipient.mailbox.domain);
    if (std::ranges::find(domains, domain) == domains.end()) {
      domains.push_back(domain);
    } else {
      domains_.release(domain);
    }
  }
  queue::Message* message =
      messages_.insert(std::move(record), std::move(body), static_cast<uint32_t>(domains.size()));
  if (message != nullptr) {
    signing_.stored(message);
  } else {
    signing_.forget(id);  // it rests in the spool only; it is signed when its turn comes
  }
  std::vector<Delivery*> fresh;
  for (const uint32_t domain : domains) {
    Delivery* delivery = deliveries_.add(id, domain, now);
    delivery->message = message;
    delivery->sender = sender;
    fresh.push_back(delivery);
  }
  for (Delivery* delivery : fresh) advance(delivery);
}

conf::Status Transit::recover(const std::function<void(std::string, std::string)>& set_aside) {
  std::vector<conf::MessageId> done;
  conf::Status status = counters_.restore();
  if (!status.ok()) return status;
  status = parts_.spool->recover(
      [this, &done](spool::MessageRecord record) {
        if (queue::all_final(record)) {
          log_endings(record);
          done.push_back(record.id);
        } else {
          adopt(record);
        }
      },
      set_aside);
  for (const conf::MessageId id : done) parts_.spool->remove(id);
  return status;
}

// A finished message is in the spool only when its last lines could not be written to the log before the end.
void Transit::log_endings(const spool::MessageRecord& record) {
  using State = spool::RecipientState;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    conf::DeliveryEvent event;
    event.kind = recipient.state == State::kDelivered ? conf::EventKind::kDelivered
                 : recipient.state == State::kFailed  ? conf::EventKind::kFailed
                 : recipient.state == State::kExpired ? conf::EventKind::kExpired
                                                      : conf::EventKind::kDropped;
    event.time = parts_.clock->wall();
    event.id = record.id;
    event.reverse_path = record.envelope.reverse_path.text();
    event.recipient = recipient.recipient.mailbox.text();
    event.size_bytes = record.size_bytes;
    event.mx_host = recipient.mx_host;
    event.reply_code = recipient.reply_code;
    event.enhanced_status = recipient.enhanced_status;
    event.reply = recipient.last_reply;
    event.attempt = recipient.attempts;
    event.stage = "before the restart";
    settlement_.append(event);
  }
}

void Transit::adopt(const spool::MessageRecord& record) {
  const conf::Instant now = parts_.clock->now();
  const conf::WallTime wall = parts_.clock->wall();
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kPending) continue;
    const conf::Instant due = now + std::max(recipient.due - wall, conf::Duration(0));
    const uint32_t domain = domains_.intern(recipient.recipient.mailbox.domain);
    Delivery* delivery = deliveries_.find(record.id);
    while (delivery != nullptr && delivery->domain != domain) delivery = delivery->sibling;
    if (delivery != nullptr) {  // this domain has one already
      domains_.release(domain);
      delivery->due = std::min(delivery->due, due);
      continue;
    }
    delivery = deliveries_.add(record.id, domain, due);
    delivery->attempt = recipient.attempts;
    delivery->sender = sender_of(record);
  }
  for (Delivery* delivery = deliveries_.find(record.id); delivery != nullptr; delivery = delivery->sibling) {
    if (record.on_hold) {
      park(delivery);
    } else {
      schedule(delivery);
    }
  }
}

void Transit::report_unsigned(const queue::Message& message, const dkim::SignOutcome& outcome) {
  conf::DeliveryEvent event;
  event.kind = outcome.alarm ? conf::EventKind::kAlarm : conf::EventKind::kUnsigned;
  event.time = parts_.clock->wall();
  event.id = message.record.id;
  event.reverse_path = message.record.envelope.reverse_path.text();
  event.reply = outcome.detail;
  event.stage = "sign";
  settlement_.append(event);
}

void Transit::report_stored(spool::MessageRecord record, conf::Bytes body) {
  enqueue(std::move(record), std::move(body));
}

}  // namespace relay
