#include "relay/desk/stream_orders.h"

#include <algorithm>
#include <string>
#include <utility>

#include "relay/flow/stream_table.h"
#include "relay/journal/events.h"

namespace relay {

namespace {

constexpr size_t kStreamsShown = 50;
constexpr size_t kMessagesAtOnce = 256;
constexpr size_t kLooksForOne = 16;  // at what is not meant: so long takes a delivery that leaves its path

bool means(const admin::MxOrder& order, const std::string& stream) {
  return !order.stream.empty() && queue::takes_stream(order.stream, stream);
}

}  // namespace

const OrderBook::Entry* latest_of_stream(const std::string& stream,
                                         const std::vector<OrderBook::Entry>& all) {
  const OrderBook::Entry* latest = nullptr;
  for (const OrderBook::Entry& entry : all)
    if (means(entry.order, stream) && (latest == nullptr || entry.until > latest->until)) latest = &entry;
  return latest;
}

void StreamOrders::apply() {
  std::vector<queue::StreamHold> holds;
  for (const OrderBook::Entry& entry : book_->all(transit_->clock().now()))
    if (!entry.order.stream.empty()) holds.push_back({entry.order.stream, entry.until});
  transit_->hold_streams(std::move(holds));
}

void StreamOrders::name(const admin::MxOrder& order, conf::Instant now, admin::MxOrderDone* done) const {
  std::vector<OrderBook::Entry> others = book_->all(now);
  std::erase_if(others, [&](const OrderBook::Entry& each) { return same_target(each.order, order); });
  for (const std::string& stream : transit_->sites().streams().names_like(order.stream)) {
    if (done->streams.size() < kStreamsShown) done->streams.push_back(stream);
    const bool lifts = order.action != admin::MxAction::kBlock;
    if (lifts && latest_of_stream(stream, others) != nullptr) ++done->held;
  }
}

bool StreamOrders::reach_some(const admin::MxOrder& order, size_t* part, size_t* budget,
                              admin::MxOrderDone* done) {
  for (; !leaving_.empty() && *budget > 0; leaving_.pop_back())
    *budget -= std::min(*budget, kLooksForOne * transit_->orders().leave_paths(leaving_.back()));
  if (!leaving_.empty()) return true;
  const queue::StreamTable& streams = transit_->sites().streams();
  const bool block = order.action == admin::MxAction::kBlock && !order.dry_run;
  size_t looks = 0;
  conf::MessageId last = 0;
  const bool more =
      transit_->deliveries().visit_some(part, kMessagesAtOnce, [&](const queue::Delivery& delivery) {
        ++looks;
        if (!means(order, streams.name(delivery.stream))) return;
        if (std::exchange(last, delivery.id) != delivery.id) ++done->messages;
        if (!block || delivery.state != queue::DeliveryState::kReady) return;
        if (leaving_.empty() || leaving_.back() != delivery.id) leaving_.push_back(delivery.id);
      });
  *budget -= std::min(*budget, looks);
  return more || !leaving_.empty();
}

void StreamOrders::tell_blocked(const admin::MxOrder& order, conf::Instant until, conf::Instant now) {
  const std::string why = who_and_why(order);
  transit_->notices().ordered(
      conf::DecisionAction::kBlock, order.stream, journal::operator_text(order.who), until,
      (why.empty() ? "blocked" : why) + ": nothing of the stream is sent " + mx::until_text(until, now));
}

void StreamOrders::tell_end(const admin::MxOrder& order, const char* text) {
  transit_->notices().ordered(conf::DecisionAction::kUnblock, order.stream, journal::operator_text(order.who),
                              {}, text);
}

}  // namespace relay
