#include "relay/walk/acceptance.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bounce/bare_name.h"
#include "relay/journal/events.h"
#include "relay/queue/sender.h"
#include "relay/walk/stream_choice.h"

namespace relay {

using queue::Delivery;

bool Acceptance::has_room(std::string* why) const {
  const spool::SpoolHealth health = parts_.spool->health();
  if (!health.accepting) {
    *why = health.why;
    return false;
  }
  if (parts_.deliveries->messages() + waiting_.size() >= parts_.config->spool.max_messages) {
    *why = "the queue is full";
    return false;
  }
  return true;
}

void Acceptance::accept(spool::MessageRecord record, conf::Bytes body, Done done) {
  record.accepted_at = parts_.clock->wall();
  record.stream = stream_of(*parts_.config, record.envelope, body.view());
  for (spool::RecipientRecord& recipient : record.recipients) recipient.due = record.accepted_at;
  auto kept = std::make_shared<spool::MessageRecord>(record);
  parts_.signing->begin(record.id, body);
  storing_.emplace(record.id, false);
  parts_.spool->store(std::move(record), body, [this, kept, body, done](conf::Result<spool::Receipt> stored) {
    const auto found = storing_.find(kept->id);
    const bool withdrawn = found != storing_.end() && found->second;
    if (found != storing_.end()) storing_.erase(found);
    if (stored.ok() && withdrawn) {
      parts_.spool->remove(kept->id);
      stored = conf::Error{conf::ErrorCode::kUnavailable, "its client was told to send it again"};
    }
    if (!stored.ok()) {
      parts_.signing->forget(kept->id);
      done(std::move(stored));
      return;
    }
    parts_.journal->append(journal::accepted(*kept, parts_.clock->calendar(kept->accepted_at)));
    done(std::move(stored));
    take(std::move(*kept), body);
  });
}

void Acceptance::withdraw(conf::MessageId id) {
  const auto found = storing_.find(id);
  if (found != storing_.end()) found->second = true;
}

void Acceptance::take(spool::MessageRecord record, conf::Bytes body) {
  if (waiting_.empty() && left_ > 0) {
    make_deliveries(std::move(record), std::move(body));
  } else {
    waiting_.push_back({std::move(record), std::move(body)});
  }
}

void Acceptance::step() {
  while (!waiting_.empty() && left_ > 0) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    make_deliveries(std::move(next.record), std::move(next.body));
  }
  begin_some();
  left_ = kPerStep;
}

void Acceptance::begin_some() {
  while (!fresh_.empty() && left_ > 0) {
    left_ -= std::min(left_, kBegin);
    Delivery* delivery = fresh_.front();
    fresh_.pop_front();
    parts_.walk->advance(delivery);
  }
}

void Acceptance::make_deliveries(spool::MessageRecord record, conf::Bytes body) {
  left_ -= std::min(left_, kMake * record.recipients.size());
  if (parts_.queued) parts_.queued(record);
  const conf::MessageId id = record.id;
  const queue::BodySize size(record.size_bytes);
  const uint32_t sender = queue::sender_of(record.envelope.reverse_path);
  const uint16_t stream = parts_.streams->number_of(record.stream);
  const conf::Instant now = parts_.clock->now();
  std::vector<uint32_t> domains;
  std::unordered_set<uint32_t> known;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    const uint32_t domain = parts_.domains->intern(recipient.recipient.mailbox.domain);
    if (record.recipients.size() == 1 || known.insert(domain).second) {
      domains.push_back(domain);
    } else {
      parts_.domains->release(domain);
    }
  }
  queue::Message* message =
      parts_.messages->insert(std::move(record), std::move(body), static_cast<uint32_t>(domains.size()));
  if (message != nullptr) {
    parts_.signing->stored(message);
  } else {
    parts_.signing->forget(id);  // it rests in the spool only; it is signed when its turn comes
  }
  for (const uint32_t domain : domains) {
    Delivery* delivery = parts_.deliveries->add(id, domain, now);
    delivery->message = message;
    delivery->size = size;
    delivery->sender = sender;
    delivery->stream = stream;
    fresh_.push_back(delivery);
  }
  // None goes before all are made: it might be the last of its message, and end it.
  begin_some();
}

conf::Status Acceptance::recover(const SetAside& set_aside, const std::function<void(Delivery*)>& use) {
  std::vector<conf::MessageId> done;
  conf::Status status = parts_.spool->recover(
      [&](spool::MessageRecord record) {
        if (parts_.witness != nullptr) parts_.witness->recovered(record, parts_.clock->today());
        if (queue::all_final(record)) {
          log_endings(record);
          done.push_back(record.id);
        } else {
          adopt(record, use);
        }
      },
      set_aside);
  for (const conf::MessageId id : done) parts_.spool->remove(id);
  return status;
}

// A finished message is in the spool only when its last lines could not be written to the log before the end.
void Acceptance::log_endings(const spool::MessageRecord& record) {
  for (const spool::RecipientRecord& recipient : record.recipients)
    parts_.journal->append(journal::ended_before_restart(record, recipient, parts_.clock->today()));
}

void Acceptance::adopt(const spool::MessageRecord& record, const std::function<void(Delivery*)>& use) {
  if (parts_.queued) parts_.queued(record);
  const conf::Instant now = parts_.clock->now();
  const conf::WallTime wall = parts_.clock->wall();
  const uint16_t stream = parts_.streams->number_of(record.stream);
  std::unordered_map<uint32_t, Delivery*> known;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kPending) continue;
    const conf::Instant due = now + std::max(recipient.due - wall, conf::Duration(0));
    const uint32_t domain = parts_.domains->intern(recipient.recipient.mailbox.domain);
    parts_.domains->went_to(domain, recipient.mx_host);
    const uint16_t greylisted_from = parts_.streams->source_number(recipient.greylisted_from);
    const auto before = known.find(domain);
    if (before != known.end()) {  // this domain has one already
      parts_.domains->release(domain);
      before->second->due = std::min(before->second->due, due);
      before->second->hold_wanted |= recipient.held;
      if (greylisted_from != 0) before->second->greylisted_from = greylisted_from;
      continue;
    }
    Delivery* delivery = parts_.deliveries->add(record.id, domain, due);
    delivery->size = queue::BodySize(record.size_bytes);
    delivery->attempt = recipient.attempts;
    delivery->last_reply = parts_.deliveries->last_replies().number_of(
        recipient.reply_code, recipient.enhanced_status,
        bounce::without_bare_name(recipient.last_reply, recipient.recipient.mailbox.local));
    delivery->sender = queue::sender_of(record.envelope.reverse_path);
    delivery->stream = stream;
    delivery->greylisted_from = greylisted_from;
    delivery->hold_wanted = record.on_hold || recipient.held;
    if (record.recipients.size() > 1) known.emplace(domain, delivery);
  }
  for (Delivery* delivery = parts_.deliveries->find(record.id); delivery != nullptr;) {
    Delivery* next = delivery->sibling;
    use(delivery);
    delivery = next;
  }
}

}  // namespace relay
