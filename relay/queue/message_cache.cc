#include "relay/queue/message_cache.h"

#include <utility>

#include "conf/vocab/check.h"

namespace relay::queue {

namespace {
// A record with one recipient and its strings; more recipients cost 256 each.
constexpr uint64_t kRecordCost = 1024;

uint64_t header_cost(const conf::LoggedHeaderPtr& header) {
  if (header == nullptr) return 0;
  uint64_t cost = sizeof *header + header->message_id.size();
  for (const auto& [name, value] : header->fields)
    cost += sizeof(header->fields[0]) + name.size() + value.size();
  return cost;
}

}  // namespace

void MessageCache::count(Message* message) {
  used_bytes_ -= message->cost_bytes;
  message->cost_bytes = kRecordCost + header_cost(message->record.header) +
                        256 * message->record.recipients.size() + message->body.size();
  used_bytes_ += message->cost_bytes;
}

Message* MessageCache::insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins) {
  if (used_bytes_ + body.size() + kRecordCost > budget_bytes_) return nullptr;
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
  if (!under_way) load(id);
}

Message* MessageCache::pin_now(conf::MessageId id) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found == nullptr || !(*found)->body.has_value()) return nullptr;
  ++(*found)->pins;
  return found->get();
}

void MessageCache::load(conf::MessageId id) {
  const bool with_body = loading_[id].with_body;
  spool_->load(id, with_body, [this, id, with_body](conf::Result<spool::LoadedMessage> result) {
    loaded(id, with_body, std::move(result));
  });
}

void MessageCache::loaded(conf::MessageId id, bool with_body, conf::Result<spool::LoadedMessage> result) {
  Waiting* const waiting = loading_.find(id);
  CHECK(waiting != nullptr);
  if (result.ok() && waiting->with_body && !with_body) {  // somebody came who needs the body too
    load(id);
    return;
  }
  std::vector<Use> uses = std::move(waiting->uses);
  loading_.erase(id);
  if (!result.ok()) {
    const std::unique_ptr<Message>* kept = messages_.find(id);
    if (kept != nullptr && (*kept)->pins == 0) {
      used_bytes_ -= (*kept)->cost_bytes;
      messages_.erase(id);
    }
    for (Use& use : uses) use(result.error());
    return;
  }
  std::unique_ptr<Message>& slot = messages_[id];
  if (slot == nullptr) {
    slot = std::make_unique<Message>(std::move(result->record), conf::Bytes());
  }
  if (with_body) slot->body = std::move(result->body);  // the record in memory may be newer: it stays
  count(slot.get());
  Message* message = slot.get();
  message->pins += static_cast<uint32_t>(uses.size());
  for (Use& use : uses) use(message);
}

void MessageCache::unpin(Message* message) {
  CHECK(message->pins > 0);
  if (--message->pins > 0) return;
  // While a load of it is under way the record stays: what was read may be older than what was just written.
  if (loading_.contains(message->record.id)) return;
  used_bytes_ -= message->cost_bytes;
  const conf::MessageId id = message->record.id;
  messages_.erase(id);
}

}  // namespace relay::queue
