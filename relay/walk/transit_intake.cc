// How messages come into the Transit: from clients, from our own reports, and from the spool at the start.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "relay/journal/events.h"
#include "relay/queue/sender.h"
#include "relay/walk/transit.h"

namespace relay {

using queue::Delivery;

conf::MessageId Transit::next_id() { return parts_.spool->next_id(clock_.wall()); }

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
  record.accepted_at = clock_.wall();
  for (spool::RecipientRecord& recipient : record.recipients) recipient.due = record.accepted_at;
  auto kept = std::make_shared<spool::MessageRecord>(record);
  signing_.begin(record.id, body);
  parts_.spool->store(std::move(record), body, [this, kept, body, done](conf::Result<spool::Receipt> stored) {
    if (!stored.ok()) {
      signing_.forget(kept->id);
      done(std::move(stored));
      return;
    }
    parts_.journal->append(journal::accepted(*kept, clock_.calendar(kept->accepted_at)));
    done(std::move(stored));
    enqueue(std::move(*kept), body);
  });
}

void Transit::enqueue(spool::MessageRecord record, conf::Bytes body) {
  const conf::MessageId id = record.id;
  const uint32_t sender = queue::sender_of(record.envelope.reverse_path);
  const conf::Instant now = parts_.clock->now();
  std::vector<uint32_t> domains;
  std::unordered_set<uint32_t> known;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    const uint32_t domain = domains_.intern(recipient.recipient.mailbox.domain);
    if (record.recipients.size() == 1 || known.insert(domain).second) {
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
  for (Delivery* delivery : fresh) {
    if (parts_.veto != nullptr && message != nullptr && recipients_now(delivery).empty()) {
      settlement_.conclude(delivery);  // nobody is left to be routed
    } else {
      advance(delivery);
    }
  }
}

conf::Status Transit::recover(const std::function<void(std::string, std::string)>& set_aside) {
  std::vector<conf::MessageId> done;
  clock_keeper_.restore();
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
  for (const spool::RecipientRecord& recipient : record.recipients)
    parts_.journal->append(journal::ended_before_restart(record, recipient, parts_.clock->wall()));
}

void Transit::adopt(const spool::MessageRecord& record) {
  const conf::Instant now = parts_.clock->now();
  const conf::WallTime wall = clock_.wall();
  std::unordered_map<uint32_t, Delivery*> known;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kPending) continue;
    const conf::Instant due = now + std::max(recipient.due - wall, conf::Duration(0));
    const uint32_t domain = domains_.intern(recipient.recipient.mailbox.domain);
    const auto before = known.find(domain);
    if (before != known.end()) {  // this domain has one already
      domains_.release(domain);
      before->second->due = std::min(before->second->due, due);
      continue;
    }
    Delivery* delivery = deliveries_.add(record.id, domain, due);
    delivery->attempt = recipient.attempts;
    delivery->sender = queue::sender_of(record.envelope.reverse_path);
    if (record.recipients.size() > 1) known.emplace(domain, delivery);
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
  parts_.journal->append(
      journal::unsigned_mail(message.record, outcome.alarm, outcome.detail, parts_.clock->wall()));
}

void Transit::report_stored(spool::MessageRecord record, conf::Bytes body) {
  enqueue(std::move(record), std::move(body));
}

}  // namespace relay
