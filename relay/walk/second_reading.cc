#include "relay/walk/second_reading.h"

#include <string>
#include <utility>

#include "bounce/diagnostic.h"

namespace relay {

namespace {

constexpr size_t kMessagesPerStep = 1000;

// Of a delivery only the words of the refusal are known, not who spoke them. A rule that names hosts may be
// about it: mail that is tried once too early costs less than mail that waits although a rule frees it.
bool reads_otherwise(const bounce::Qualifier& before, const bounce::Qualifier& after,
                     const std::string& text) {
  const bounce::Reply reply = bounce::read_diagnostic(text);
  for (const bool anywhere : {false, true}) {
    const bounce::Occasion occasion{bounce::Stage::kRcpt, &reply, {}, {}, {}, anywhere};
    const bounce::Qualification old = before.qualify(occasion), fresh = after.qualify(occasion);
    if (old.type != fresh.type || old.act != fresh.act || old.act_for != fresh.act_for) return true;
  }
  return false;
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
    readings_[number] = relay::reads_otherwise(*before_, *after_, text) ? Reading::kOther : Reading::kSame;
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
