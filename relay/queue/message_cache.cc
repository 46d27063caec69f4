#include "relay/queue/message_cache.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace relay::queue {

namespace {
constexpr uint64_t kRecordCost =
    1024;  // a record with one recipient and its strings; more recipients cost 256 each
constexpr uint64_t kReportBytes = 8'000'000;  // read together for reports

uint64_t header_cost(const conf::LoggedHeaderPtr& header) {
  if (header == nullptr) return 0;
  uint64_t cost = sizeof *header + header->message_id.size();
  for (const auto& [name, value] : header->fields)
    cost += sizeof(header->fields[0]) + name.size() + value.size();
  return cost;
}

}  // namespace

Message* MessageCache::insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins) {
  std::optional<BodyRoom::Lease> lease =
      room_.keep(kRecordCost + header_cost(record.header) + 256 * record.recipients.size() + body.size());
  if (!lease.has_value()) return nullptr;
  auto message = std::make_unique<Message>(std::move(record), HeldBody(std::move(body), std::move(*lease)));
  message->pins = pins;
  Message* raw = message.get();
  std::unique_ptr<Message>& slot = messages_[raw->record.id];
  CHECK(slot == nullptr);
  slot = std::move(message);
  return raw;
}

void MessageCache::pin(conf::MessageId id, Use use) {
  if (const std::unique_ptr<Message>* found = messages_.find(id); found != nullptr) {
    ++(*found)->pins;
    use(found->get());
    return;
  }
  wait_for(id, std::move(use), {});
}

void MessageCache::pin_with_body(const Delivery& delivery, Use use) {
  if (Message* here = pin_now(delivery.id); here != nullptr) {
    use(here);
    return;
  }
  const uint64_t bytes = to_read(delivery);  // 0: another one has its lease already
  wait_for(delivery.id, std::move(use),
           bytes == 0 ? BodyRoom::Lease() : room_.take(room_.share_of(bytes), bytes));
}

uint64_t MessageCache::to_read_of(const Delivery& delivery) const {
  const std::unique_ptr<Message>* here = messages_.find(delivery.id);
  if (here != nullptr && (*here)->body.has_value()) return 0;
  const Waiting* waiting = loading_.find(delivery.id);
  if (waiting != nullptr && waiting->with_body()) return 0;
  return kRecordCost + delivery.body_size.bytes();
}

Message* MessageCache::pin_now(conf::MessageId id) {
  const std::unique_ptr<Message>* found = messages_.find(id);
  if (found == nullptr || !(*found)->body.has_value()) return nullptr;
  ++(*found)->pins;
  return found->get();
}

void MessageCache::wait_for(conf::MessageId id, Use use, BodyRoom::Lease lease) {
  const bool under_way = loading_.contains(id);
  Waiting& waiting = loading_[id];
  if (lease.bytes() > 0) waiting.lease = std::move(lease);
  waiting.uses.push_back(std::move(use));
  if (!under_way) load(id, waiting.with_body());
}

void MessageCache::load(conf::MessageId id, bool with_body) {
  spool_->load(id, with_body, [this, id, with_body](conf::Result<spool::LoadedMessage> result) {
    loaded(id, with_body, std::move(result));
  });
}

void MessageCache::loaded(conf::MessageId id, bool with_body, conf::Result<spool::LoadedMessage> result) {
  Waiting* const waiting = loading_.find(id);
  CHECK(waiting != nullptr);
  if (result.ok() && waiting->with_body() && !with_body) {  // somebody came who needs the body too
    load(id, true);
    return;
  }
  Waiting done = std::move(*waiting);
  loading_.erase(id);
  if (!result.ok()) {
    const std::unique_ptr<Message>* kept = messages_.find(id);
    if (kept != nullptr && (*kept)->pins == 0) messages_.erase(id);
    done.lease.give_back();
    for (Use& use : done.uses) use(result.error());
    return;
  }
  std::unique_ptr<Message>& slot = messages_[id];  // the record in memory may be newer: it stays
  if (slot == nullptr) slot = std::make_unique<Message>(std::move(result->record), HeldBody());
  if (with_body) {
    done.lease.shrink_to(kRecordCost + result->body.size());
    slot->body = HeldBody(std::move(result->body), std::move(done.lease));
  }
  Message* message = slot.get();
  message->pins += static_cast<uint32_t>(done.uses.size());
  for (Use& use : done.uses) use(message);
}

void MessageCache::unpin(Message* message) {
  CHECK(message->pins > 0);
  if (--message->pins > 0) return;
  // While a load of it is under way the record stays: what was read may be older than what was just written.
  if (loading_.contains(message->record.id)) {
    message->body.reset();
    return;
  }
  const conf::MessageId id = message->record.id;
  messages_.erase(id);
}

// Who uses the body of a message has the bytes too: a transaction, its signing, its conversion.
void MessageCache::drop_unused() {
  messages_.for_each_in(next_part_, [](conf::MessageId /*id*/, const std::unique_ptr<Message>& message) {
    if (message->body.bytes().sole()) message->body.reset();
  });
  next_part_ = (next_part_ + 1) % parts();
}

bool MessageCache::has_room_for_report(uint64_t size) const {
  const uint64_t taken = room_.of_reports();
  return taken == 0 || taken + size <= kReportBytes;
}

void MessageCache::read_for_report(conf::MessageId id, uint64_t size, UseBody use) {
  report_bodies_.push_back({id, size, std::move(use), {}});
  read_report_bodies();
}

void MessageCache::read_report_bodies() {
  while (!report_bodies_.empty() && has_room_for_report(report_bodies_.front().size)) {
    const uint64_t number = ++last_report_body_;
    ReportBody& body = report_bodies_read_[number];
    body = std::move(report_bodies_.front());
    report_bodies_.pop_front();
    body.lease = room_.take(BodyShare::kReport, kRecordCost + body.size);
    spool_->load(body.id, true, [this, number](conf::Result<spool::LoadedMessage> result) {
      {
        const ReportBody read = std::move(report_bodies_read_.extract(number).mapped());
        if (result.ok()) {
          read.use(std::move(result->body));
        } else {
          read.use(result.error());
        }
      }
      read_report_bodies();
    });
  }
}

}  // namespace relay::queue
