#include "relay/walk/second_reading.h"

#include <string>
#include <utility>

#include "bounce/diagnostic.h"

namespace relay {

namespace {

constexpr size_t kMessagesPerStep = 1000;

bounce::Qualification read_with(const bounce::Qualifier& qualifier, const std::string& text) {
  const bounce::Reply reply = bounce::read_diagnostic(text);
  return qualifier.qualify({bounce::Stage::kRcpt, &reply});
}

}  // namespace

void SecondReading::begin(std::shared_ptr<const bounce::Qualifier> before,
                          std::shared_ptr<const bounce::Qualifier> after) {
  if (before == after || before == nullptr || after == nullptr) return;
  if (!under_way()) before_ = std::move(before);  // else: what was not looked at yet was read by that one
  after_ = std::move(after);
  readings_.clear();
  part_ = 0;
}

bool SecondReading::reads_otherwise(const queue::Delivery& delivery) {
  const uint16_t number = delivery.last_reply;
  if (number == queue::LastReplies::kNone || delivery.state != queue::DeliveryState::kScheduled) return false;
  if (readings_.size() <= number) readings_.resize(number + size_t{1}, Reading::kUnknown);
  if (readings_[number] == Reading::kUnknown) {
    const std::string& text = deliveries_->last_replies().text(number);
    const bounce::Qualification old = read_with(*before_, text), fresh = read_with(*after_, text);
    const bool same = old.type == fresh.type && old.act == fresh.act;
    readings_[number] = same ? Reading::kSame : Reading::kOther;
  }
  return readings_[number] == Reading::kOther;
}

void SecondReading::step() {
  if (!under_way()) return;
  std::vector<conf::MessageId> due;
  const bool more = deliveries_->visit_some(&part_, kMessagesPerStep, [&](const queue::Delivery& delivery) {
    if (reads_otherwise(delivery) && (due.empty() || due.back() != delivery.id)) due.push_back(delivery.id);
  });
  for (const conf::MessageId id : due)
    orders_->retry(id, [this](const queue::Delivery& delivery) { return reads_otherwise(delivery); });
  if (more) return;
  before_ = nullptr;
  after_ = nullptr;
  readings_.clear();
}

}  // namespace relay
