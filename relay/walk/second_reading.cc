#include "relay/walk/second_reading.h"

#include <string>
#include <utility>

#include "bounce/diagnostic.h"

namespace relay {

namespace {

constexpr size_t kMessagesPerStep = 1000;

bool takes_place_of_hold(const bounce::Qualification& meaning) {
  if (meaning.act == bounce::Act::kHold) return false;
  return meaning.act != bounce::Act::kNone || bounce::ends_at_once(meaning);
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

// Of a delivery only the words of the refusal are known, not who spoke them. A rule that names hosts may be
// about it: mail that is tried once too early costs less than mail that waits although a rule frees it.
SecondReading::Reading SecondReading::read(const std::string& text) const {
  const bounce::Reply reply = bounce::read_diagnostic(text);
  Reading reading = Reading::kSame;
  for (const bool anywhere : {false, true}) {
    const bounce::Occasion occasion{.stage = bounce::Stage::kRcpt, .reply = &reply, .anywhere = anywhere};
    const bounce::Qualification old = before_->qualify(occasion), fresh = after_->qualify(occasion);
    if (old.type == fresh.type && old.act == fresh.act && old.act_for == fresh.act_for) continue;
    if (old.act == bounce::Act::kHold && takes_place_of_hold(fresh)) return Reading::kNoHold;
    reading = Reading::kOther;
  }
  return reading;
}

// A decision about a text is found by its words as they were: the sample, and not what people are shown.
SecondReading::Reading SecondReading::reading_of(const queue::Delivery& delivery) {
  const uint16_t number = delivery.last_reply;
  if (number == queue::LastReplies::kNone) return Reading::kSame;
  if (readings_.size() <= number) readings_.resize(number + size_t{1}, Reading::kUnknown);
  const queue::LastReplies& replies = deliveries_->last_replies();
  if (readings_[number] == Reading::kUnknown)
    readings_[number] = read(replies.sample(number).empty() ? replies.text(number) : replies.sample(number));
  return readings_[number];
}

bool SecondReading::is_due(const queue::Delivery& delivery) {
  if (delivery.state == queue::DeliveryState::kHeld) return reading_of(delivery) == Reading::kNoHold;
  if (delivery.state != queue::DeliveryState::kScheduled) return false;
  const Reading reading = reading_of(delivery);
  return reading == Reading::kOther || reading == Reading::kNoHold;
}

void SecondReading::step() {
  if (!may_go_on()) return;
  struct Due {
    conf::MessageId id = 0;
    bool waits = false;
    std::vector<uint32_t> held;  // domains
  };
  std::vector<Due> due;
  const bool more = deliveries_->visit_some(&part_, kMessagesPerStep, [&](const queue::Delivery& delivery) {
    if (!is_due(delivery)) return;
    if (due.empty() || due.back().id != delivery.id) due.push_back({delivery.id, false, {}});
    if (delivery.state == queue::DeliveryState::kHeld) {
      due.back().held.push_back(delivery.domain);
    } else {
      due.back().waits = true;
    }
  });
  for (Due& each : due) {
    if (!each.held.empty()) orders_->end_holds(each.id, std::move(each.held));
    if (each.waits)
      orders_->retry(each.id, [this](const queue::Delivery& delivery) { return is_due(delivery); });
  }
  if (more) return;
  before_ = nullptr;
  after_ = nullptr;
  readings_.clear();
}

}  // namespace relay
