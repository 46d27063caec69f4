#include "relay/journal/result_tallies.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "relay/journal/events.h"
#include "relay/spool/message_ids.h"

namespace relay::journal {

namespace {

// From what a person notices to the validity of a message.
constexpr std::array<double, Tallies::kDeliveryBounds> kDeliverySeconds = {
    0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400, 432000};
// Up to the time-outs of RFC 5321 §4.5.3.2.
constexpr std::array<double, Tallies::kTransactionBounds> kTransactionSeconds = {
    0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600};

// The one writer needs no locked instruction.
void add(std::atomic<uint64_t>* counter, uint64_t count = 1) {
  counter->store(counter->load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

std::optional<Tallies::Result> result_of(const conf::DeliveryEvent& event) {
  switch (event.kind) {
    case conf::EventKind::kDelivered:
      return Tallies::Result::kDelivered;
    case conf::EventKind::kDeferred:
      // What waits for a path that fails was not tried either.
      return is_held_back(event) || event.limit != conf::Bind::kNothing ? Tallies::Result::kHeldBack
                                                                        : Tallies::Result::kDeferred;
    case conf::EventKind::kFailed:
      return Tallies::Result::kFailed;
    case conf::EventKind::kExpired:
      return Tallies::Result::kExpired;
    default:
      return std::nullopt;
  }
}

}  // namespace

template <size_t kBounds>
void Histogram<kBounds>::add(conf::Duration time) {
  const conf::Duration bounded = std::max(time, conf::Duration(0));
  const double seconds = std::chrono::duration<double>(bounded).count();
  const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(), seconds) - bounds_->begin();
  journal::add(&counts_[static_cast<size_t>(bucket)]);
  journal::add(&micros_, static_cast<uint64_t>(bounded.count()));
}

template <size_t kBounds>
conf::HistogramCounts Histogram<kBounds>::counts() const {
  conf::HistogramCounts told;
  told.bounds.assign(bounds_->begin(), bounds_->end());
  for (const std::atomic<uint64_t>& count : counts_)
    told.counts.push_back(count.load(std::memory_order_relaxed));
  told.sum_seconds = static_cast<double>(micros_.load(std::memory_order_relaxed)) / 1e6;
  return told;
}

Tallies::Tally::Tally(std::string called)
    : name(std::move(called)), delivery(&kDeliverySeconds), transaction(&kTransactionSeconds) {}

Tallies::Tally* Tallies::of(const std::string& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const size_t known = known_.load(std::memory_order_relaxed);
  if (known > kMost) return tallies_[kMost].get();
  std::string label = name.empty() ? "none" : name;
  if (known == kMost) label = "other";
  // A rule may have one of these names itself.
  for (size_t i = 0; i < known; ++i)
    if (tallies_[i]->name == label) return tallies_[i].get();
  tallies_[known] = std::make_unique<Tally>(std::move(label));
  if (known < kMost) by_name_[name] = tallies_[known].get();
  known_.store(known + 1, std::memory_order_release);
  return tallies_[known].get();
}

std::vector<conf::ResultCounts> Tallies::counts() const {
  std::vector<conf::ResultCounts> all;
  const size_t known = known_.load(std::memory_order_acquire);
  for (size_t i = 0; i < known; ++i) {
    const Tally& tally = *tallies_[i];
    const auto of = [&tally](Result result) {
      return tally.results[static_cast<size_t>(result)].load(std::memory_order_relaxed);
    };
    all.push_back({tally.name, of(Result::kDelivered), of(Result::kFailed), of(Result::kExpired),
                   of(Result::kDeferred), of(Result::kHeldBack), tally.delivery.counts(),
                   tally.transaction.counts()});
  }
  return all;
}

void ResultTallies::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  through_.store(sequence, std::memory_order_relaxed);
  const std::optional<Tallies::Result> result = result_of(event);
  if (!result || event.stage == conf::Stage::kRestored) return;
  Tallies::Tally* rule = rules_.of(event.mx_rule);
  add(&rule->results[static_cast<size_t>(*result)]);
  add(&sources_.of(event.source)->results[static_cast<size_t>(*result)]);
  if (*result == Tallies::Result::kDelivered)
    rule->delivery.add(clock_->wall() - spool::MessageIds::time_of(event.id));
  if (event.delays.transaction.count() >= 0) rule->transaction.add(event.delays.transaction);
}

}  // namespace relay::journal
