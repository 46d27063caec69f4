#include "relay/queue/message_cache.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace relay::queue {

namespace {
constexpr uint64_t kRecordCost =
    1024;  // a record with one recipient and its strings; more recipients cost 256 each

// Of a body that is being read, and of the record that comes with it; 0: no body is wanted.
uint64_t reading_cost(uint64_t most_body) { return most_body == 0 ? 0 : most_body + kRecordCost; }

uint64_t header_cost(const conf::LoggedHeaderPtr& header) {
  if (header == nullptr) return 0;
  uint64_t cost = sizeof *header + header->message_id.size();
  for (const auto& [name, value] : header->fields)
    cost += sizeof(header->fields[0]) + name.size() + value.size();
  return cost;
}

}  // namespace

void MessageCache::count(Message* message) {
  message->cost_bytes = kRecordCost + header_cost(message->record.header) +
                        256 * message->record.recipients.size() + message->body.size();
  used_bytes_ += message->cost_bytes;
  bodies_[share_of(*message)] += message->body.size();
}

void MessageCache::uncount(const Message& message) {
  used_bytes_ -= message.cost_bytes;
  bodies_[share_of(message)] -= message.body.size();
}

Message* MessageCache::insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins) {
  if (used_bytes_ + body.size() + kRecordCost > budget_bytes_ ||
      bodies_[kKept] + body.size() > budget_bytes_ / 4 * 3)
    return nullptr;
  auto message = std::make_unique<Message>(std::move(record), std::move(body));
  message->pins = pins;
  count(message.get());
  Message* raw = message.get();
  std::unique_ptr<Message>& slot = messages_[raw->record.id];
  CHECK(slot == nullptr);
  slot = std::move(message);
  return raw;
}

void MessageCache::pin(conf::MessageId id, bool with_body, Use use) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found != nullptr && (!with_body || (*found)->body.has_value())) {
    Message* message = found->get();
    ++message->pins;
    use(message);
    return;
  }
  const bool under_way = loading_.contains(id);
  Waiting& waiting = loading_[id];
  waiting.with_body |= with_body;
  waiting.uses.push_back(std::move(use));
  if (!under_way) load(id, &waiting);
}

Message* MessageCache::pin_now(conf::MessageId id) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found == nullptr || !(*found)->body.has_value()) return nullptr;
  ++(*found)->pins;
  return found->get();
}

void MessageCache::load(conf::MessageId id, Waiting* waiting) {
  const Share share = share_of(waiting->size);
  if (!waiting->with_body || (waiting_[share].empty() && has_room(waiting->size))) {
    read(id, *waiting);
  } else {
    waiting_[share].push_back(id);
  }
}

void MessageCache::read(conf::MessageId id, const Waiting& waiting) {
  const uint64_t most_body = waiting.with_body ? waiting.size : 0;
  asked_[share_of(most_body)] += reading_cost(most_body);
  spool_->load_up_to(id, most_body, [this, id, most_body](conf::Result<spool::LoadedMessage> result) {
    loaded(id, most_body, std::move(result));
  });
}

bool MessageCache::has_room(uint64_t size) const {
  const Share share = share_of(size);
  const uint64_t taken = bodies_[share] + asked_[share];
  return taken == 0 || taken + size <= budget_bytes_ / 8 ||
         used_bytes_ + asked_[kSmall] + asked_[kBig] + reading_cost(size) <= budget_bytes_;
}

void MessageCache::read_waiting() {
  for (std::deque<conf::MessageId>& waiting : waiting_) {
    while (!waiting.empty() && has_room(loading_[waiting.front()].size)) {
      const conf::MessageId id = waiting.front();
      waiting.pop_front();
      read(id, loading_[id]);
    }
  }
}

void MessageCache::set_budget(uint64_t bytes) {
  budget_bytes_ = bytes;
  read_waiting();
}

void MessageCache::loaded(conf::MessageId id, uint64_t most_body, conf::Result<spool::LoadedMessage> result) {
  asked_[share_of(most_body)] -= reading_cost(most_body);
  Waiting* const waiting = loading_.find(id);
  CHECK(waiting != nullptr);
  // It is bigger than what was asked for, or somebody came who needs the body too.
  if (result.ok() && waiting->with_body && !result->body.has_value()) {
    waiting->size = std::max<uint64_t>(result->record.size_bytes, 1);
    load(id, waiting);
    read_waiting();
    return;
  }
  std::vector<Use> uses = std::move(waiting->uses);
  loading_.erase(id);
  if (!result.ok()) {
    const std::unique_ptr<Message>* kept = messages_.find(id);
    if (kept != nullptr && (*kept)->pins == 0) leave(kept->get());
    for (Use& use : uses) use(result.error());
    read_waiting();
    return;
  }
  std::unique_ptr<Message>& slot = messages_[id];
  if (slot == nullptr) {
    slot = std::make_unique<Message>(std::move(result->record), conf::Bytes());
  } else {
    uncount(*slot);
  }
  if (result->body.has_value()) {  // the record in memory may be newer: it stays
    slot->body = std::move(result->body);
    slot->read_back = true;
  }
  count(slot.get());
  Message* message = slot.get();
  message->pins += static_cast<uint32_t>(uses.size());
  for (Use& use : uses) use(message);
  read_waiting();
}

void MessageCache::unpin(Message* message) {
  CHECK(message->pins > 0);
  if (--message->pins > 0) return;
  // While a load of it is under way the record stays: what was read may be older than what was just written.
  if (loading_.contains(message->record.id)) return;
  leave(message);
  read_waiting();
}

void MessageCache::leave(Message* message) {
  uncount(*message);
  messages_.erase(message->record.id);
}

}  // namespace relay::queue
