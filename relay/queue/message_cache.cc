#include "relay/queue/message_cache.h"

#include <utility>

#include "conf/vocab/check.h"

namespace relay::queue {

namespace {
// A record with one recipient and its strings; more recipients cost 256 each.
constexpr uint64_t kRecordCost = 1024;
constexpr size_t kFew = 8;  // bodies of a size that nobody told, being read

uint64_t header_cost(const conf::LoggedHeaderPtr& header) {
  if (header == nullptr) return 0;
  uint64_t cost = sizeof *header + header->message_id.size();
  for (const auto& [name, value] : header->fields)
    cost += sizeof(header->fields[0]) + name.size() + value.size();
  return cost;
}

}  // namespace

void MessageCache::count(Message* message) {
  uncount(*message);
  message->body_octets = message->body.size();
  message->cost_bytes = kRecordCost + header_cost(message->record.header) +
                        256 * message->record.recipients.size() + message->body_octets;
  used_bytes_ += message->cost_bytes;
  body_octets_ += message->body_octets;
}

void MessageCache::uncount(const Message& message) {
  used_bytes_ -= message.cost_bytes;
  body_octets_ -= message.body_octets;
}

void MessageCache::erase(Message* message) {
  uncount(*message);
  room_.give_back(&message->room);
  messages_.erase(conf::MessageId{message->record.id});
}

void MessageCache::let_go_of_body(Message* message) {
  message->body.reset();
  room_.give_back(&message->room);
  count(message);
}

Message* MessageCache::insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins) {
  if (!room_.may_keep(body.size(), used_bytes_ + kRecordCost)) return nullptr;
  auto message = std::make_unique<Message>(std::move(record), std::move(body));
  message->pins = pins;
  message->room = room_.keep(message->body.size());
  count(message.get());
  Message* raw = message.get();
  std::unique_ptr<Message>& slot = messages_[raw->record.id];
  CHECK(slot == nullptr);
  slot = std::move(message);
  return raw;
}

bool MessageCache::has_room_for(conf::MessageId id, BodySize size, conf::Instant now) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found != nullptr && (*found)->body.has_value()) return true;
  const Waiting* waiting = loading_.find(id);
  return (waiting != nullptr && waiting->counted) || room_.may_read(id, size.octets(), now);
}

void MessageCache::pin(conf::MessageId id, bool with_body, std::optional<BodySize> size, Use use) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found != nullptr && (!with_body || (*found)->body.has_value())) {
    Message* message = found->get();
    ++message->pins;
    use(message);
    return;
  }
  Waiting& waiting = loading_[id];
  waiting.with_body |= with_body;
  waiting.uses.push_back(std::move(use));
  if (size.has_value() && !waiting.counted) {
    waiting.counted = true;
    waiting.room = room_.read(size->octets());
  }
  load(id, &waiting);
}

Message* MessageCache::pin_now(conf::MessageId id) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found == nullptr || !(*found)->body.has_value()) return nullptr;
  ++(*found)->pins;
  return found->get();
}

void MessageCache::load(conf::MessageId id, Waiting* waiting) {
  if (waiting->under_way) return;
  if (waiting->with_body && !waiting->counted && !waiting->one_of_few) {
    if (few_ == kFew) {
      if (!std::exchange(waiting->queued, true)) queued_.push_back(id);
      return;
    }
    ++few_;
    waiting->one_of_few = true;
  }
  waiting->under_way = true;
  const bool with_body = waiting->with_body;
  spool_->load(id, with_body, [this, id, with_body](conf::Result<spool::LoadedMessage> result) {
    loaded(id, with_body, std::move(result));
  });
}

void MessageCache::load_queued() {
  while (!queued_.empty() && few_ < kFew) {
    const conf::MessageId id = queued_.front();
    queued_.pop_front();
    Waiting* const waiting = loading_.find(id);
    if (waiting == nullptr || !std::exchange(waiting->queued, false)) continue;
    load(id, waiting);
  }
}

void MessageCache::loaded(conf::MessageId id, bool with_body, conf::Result<spool::LoadedMessage> result) {
  Waiting* const waiting = loading_.find(id);
  CHECK(waiting != nullptr);
  waiting->under_way = false;
  if (result.ok() && waiting->with_body && !with_body) {  // somebody came who needs the body too
    load(id, waiting);
    return;
  }
  std::vector<Use> uses = std::move(waiting->uses);
  room_.give_back(&waiting->room);
  if (waiting->one_of_few) --few_;
  loading_.erase(id);
  if (!result.ok()) {
    const std::unique_ptr<Message>* kept = messages_.find(id);
    if (kept != nullptr && (*kept)->pins == 0) erase(kept->get());
    for (Use& use : uses) use(result.error());
    load_queued();
    return;
  }
  std::unique_ptr<Message>& slot = messages_[id];
  if (slot == nullptr) {
    slot = std::make_unique<Message>(std::move(result->record), conf::Bytes());
  }
  if (with_body) {  // the record in memory may be newer: it stays
    room_.give_back(&slot->room);
    slot->body = std::move(result->body);
    slot->room = room_.read(slot->body.size());
  }
  count(slot.get());
  Message* message = slot.get();
  message->pins += static_cast<uint32_t>(uses.size());
  for (Use& use : uses) use(message);
  load_queued();
}

void MessageCache::unpin(Message* message) {
  CHECK(message->pins > 0);
  if (--message->pins > 0) return;
  // While a load of it is under way the record stays: what was read may be older than what was just written.
  if (!loading_.contains(message->record.id)) erase(message);
}

}  // namespace relay::queue
