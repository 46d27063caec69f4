#include "relay/desk/survey.h"

#include <algorithm>
#include <utility>

#include "relay/desk/waiting_reason.h"

namespace relay {

namespace {

constexpr size_t kPathsPerStep = 1024;  // some 0.3 us each
constexpr size_t kSmall = 4096;         // paths that may be looked at in one go
constexpr size_t kSitesShown = 50;

bool busier(const journal::SiteGauges& a, const journal::SiteGauges& b) {
  const uint64_t left = a.ready + a.in_flight, right = b.ready + b.in_flight;
  return left != right ? left > right : a.site < b.site;
}

// kNever: it is over.
conf::Instant later_than(conf::Instant now, conf::Instant end) { return end > now ? end : conf::kNever; }

}  // namespace

void Survey::look_at(queue::Path* path, conf::Instant now) {
  ++paths_;
  const mx::Standing::State state =
      path->holds.ordered(now) ? mx::Standing::State::kBlocked : path->counters.standing->state_at(now);
  next_change_ = std::min(next_change_, later_than(now, path->counters.standing->runs_out()));
  if (!path->superseded) {  // whoever decides there now is counted
    limiter_.blocked += state == mx::Standing::State::kBlocked ? 1 : 0;
    limiter_.probing += state == mx::Standing::State::kProbing ? 1 : 0;
    limiter_.ramp += state == mx::Standing::State::kRamp ? 1 : 0;
  }
  if (state == mx::Standing::State::kBlocked) limiter_.blocked_deliveries += path->ready.size();
  if (path->ready.empty() && path->connections.size() == 0) return;
  if (path->site != site_) {
    keep();
    site_ = path->site;
    in_hand_.site = path->site->label;
    most_waiting_ = 0;
  }
  journal::SiteGauges& site = in_hand_;
  site.ready += path->ready.size();
  site.connections += path->connections.size();
  const auto sending = in_flight_.find(path);
  if (sending != in_flight_.end()) site.in_flight += sending->second;
  if (site.waiting_for.empty() || path->ready.size() > most_waiting_) {  // what keeps most of it back
    std::string why = in_words(waiting_reason(path, dispatcher_, now), now);
    if (why.empty()) return;
    site.waiting_for = std::move(why);
    most_waiting_ = path->ready.size();
  }
}

// The site in hand is done: all of its paths came one after the other.
void Survey::keep() {
  if (site_ == nullptr) return;
  site_ = nullptr;
  busiest_.push_back(std::exchange(in_hand_, {}));
  std::ranges::push_heap(busiest_, busier);
  if (busiest_.size() <= kSitesShown) return;
  std::ranges::pop_heap(busiest_, busier);
  busiest_.pop_back();
}

bool Survey::step(conf::Instant now) {
  if (part_ == 0) {
    limiter_ = {};
    paths_ = 0;
    next_change_ = conf::kNever;
    busiest_.clear();
    in_flight_ = dispatcher_->in_flight_by_path();
  }
  const bool more = sites_->visit_some(&part_, kPathsPerStep, [&](queue::Path* path) { look_at(path, now); });
  keep();
  if (more) return false;
  finish(now);
  return true;
}

void Survey::refresh_if_small(conf::Instant now) {
  if (latest_.paths > kSmall || paths_ > kSmall) return;
  while (!step(now)) {
    if (paths_ > kSmall) return;
  }
}

void Survey::finish(conf::Instant now) {
  part_ = 0;
  latest_.limiter = limiter_;
  const mx::LimiterTable::Detached detached = sites_->limiters().detached(now);
  latest_.limiter.blocked += detached.blocked;
  latest_.limiter.probing += detached.probing;
  latest_.limiter.ramp += detached.ramp;
  latest_.paths = paths_;
  latest_.next_change = std::min(next_change_, later_than(now, detached.first_end));
  latest_.sites.clear();
  std::ranges::sort_heap(busiest_, busier);  // the busiest first
  // The same hosts under two destinations are one line.
  for (journal::SiteGauges& site : busiest_) {
    const auto same = std::ranges::find(latest_.sites, site.site, &journal::SiteGauges::site);
    if (same == latest_.sites.end()) {
      latest_.sites.push_back(std::move(site));
      continue;
    }
    same->ready += site.ready;
    same->in_flight += site.in_flight;
    same->connections += site.connections;
    if (same->waiting_for.empty()) same->waiting_for = std::move(site.waiting_for);
  }
  busiest_.clear();
  in_flight_.clear();
}

}  // namespace relay
