#include "relay/desk/busiest_paths.h"

#include <algorithm>

#include "relay/desk/detached.h"
#include "relay/desk/path_view.h"

namespace relay {

namespace {

// In looks at a path or a counter that is of no interest, some 0.3 us each.
constexpr size_t kBudget = 2048;
constexpr size_t kOfView = 32;

bool is_of_interest(const queue::Path& path, conf::Instant now) {
  return !path.ready.empty() || path.connections.size() > 0 || path.health.backs_off(now) ||
         path.holds.paused(now) || path.holds.ordered(now) ||
         path.counters.standing->state() != mx::Standing::State::kOpen ||
         std::any_of(path.counters.traffic.begin(), path.counters.traffic.end(),
                     [now](const auto& entry) { return entry.second->slowed_until() > now; });
}

}  // namespace

void BusiestPaths::take(size_t limit, Done done) {
  questions_.push_back({limit, std::move(done)});
  if (questions_.size() == 1) step(transit_->clock().now());
}

void BusiestPaths::step(conf::Instant now) {
  size_t budget = kBudget;
  while (budget > 0 && under_way()) {
    switch (phase_) {
      case Phase::kFind:
        find(now, &budget);
        break;
      case Phase::kView:
        view(now, &budget);
        break;
      case Phase::kDetached:
        add_detached(now, &budget);
        break;
      case Phase::kOver:
        finish();
        break;
    }
  }
}

void BusiestPaths::find(conf::Instant now, size_t* budget) {
  size_t looks = 0;
  const bool more = transit_->sites().visit_some(&part_, *budget, [&](queue::Path* path) {
    ++looks;
    consider(path, now);
  });
  *budget -= std::min(*budget, looks);
  if (more) {
    *budget = 0;
    return;
  }
  std::sort_heap(busiest_.begin(), busiest_.end(), is_busier);
  in_flight_ = transit_->dispatcher().in_flight_by_path();
  phase_ = Phase::kView;
}

bool BusiestPaths::flows(const queue::Path& path, conf::Instant now) const {
  if (history_.flow->known() == 0) return false;
  const std::string_view rule = path.rule == nullptr ? std::string_view() : path.rule->name;
  return !history_.flow->last_minute({path.site->label, path.source.name, rule}, now).nothing();
}

void BusiestPaths::consider(queue::Path* path, conf::Instant now) {
  if (path->is_past() || (!is_of_interest(*path, now) && !flows(*path, now))) return;
  const Candidate candidate{
      {path->holds.ordered(now) || path->counters.standing->state() != mx::Standing::State::kOpen,
       path->ready.size() + path->connections.size()},
      path};
  const size_t limit = questions_.front().limit;
  if (busiest_.size() >= limit) {
    if (limit == 0 || !is_busier(candidate, busiest_.front())) return;
    std::pop_heap(busiest_.begin(), busiest_.end(), is_busier);
    busiest_.back().path->rounds.shown = false;
    busiest_.pop_back();
  }
  path->rounds.shown = true;
  busiest_.push_back(candidate);
  std::push_heap(busiest_.begin(), busiest_.end(), is_busier);
}

void BusiestPaths::view(conf::Instant now, size_t* budget) {
  for (; viewed_ < busiest_.size() && *budget > 0; ++viewed_) {
    queue::Path* path = busiest_[viewed_].path;
    path->rounds.shown = false;
    const auto count = in_flight_.find(path);
    views_.push_back(
        view_of(path, count == in_flight_.end() ? 0 : count->second, &transit_->dispatcher(), history_, now));
    *budget -= std::min(*budget, kOfView);
  }
  if (viewed_ == busiest_.size()) phase_ = Phase::kDetached;
}

void BusiestPaths::add_detached(conf::Instant now, size_t* budget) {
  const size_t limit = questions_.front().limit;
  const auto add = [&](const mx::CounterKey& key, const mx::Standing& standing, bool superseded) {
    if (views_.size() >= limit || superseded) return;
    views_.push_back(view_of(key, standing, now));
    *budget -= std::min(*budget, kOfView);
  };
  const size_t looks = *budget;
  const bool more = views_.size() < limit && visit_detached(&transit_->sites(), &counter_, looks, add);
  *budget = more ? 0 : *budget - std::min(*budget, size_t{1});
  if (!more) phase_ = Phase::kOver;
}

void BusiestPaths::finish() {
  const Done done = std::move(questions_.front().done);
  questions_.pop_front();
  phase_ = Phase::kFind;
  part_ = viewed_ = counter_ = 0;
  busiest_.clear();
  in_flight_.clear();
  done(std::exchange(views_, {}));
}

}  // namespace relay
