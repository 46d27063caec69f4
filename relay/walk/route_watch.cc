#include "relay/walk/route_watch.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr auto kOfRoutes = queue::ReadyQueue::Purpose::kRoutes;
constexpr size_t kPathsPerStep = 2048;    // some 0.1 us each, those with mail a little more
constexpr size_t kLooksPerStep = 2048;    // at deliveries; the look at one of the same domain costs nothing
constexpr size_t kAsksPerStep = 64;       // for routes
constexpr conf::Duration kAnswered = 2s;  // a route that is asked for is mostly known by then

}  // namespace

void RouteWatch::step(conf::Instant now, size_t waiting) {
  if (waiting == 0 && due_.empty()) return;
  if (!collecting_ && due_.empty() && now >= next_round_) {
    collecting_ = true;
    part_ = 0;
    next_round_ = now + kPeriod;
  }
  if (collecting_) {
    looked_at_ = nullptr;
    collecting_ = parts_.sites->visit_some(&part_, kPathsPerStep,
                                           [this, now](queue::Path* path) { collect(path, now); });
  }
  asks_left_ = kAsksPerStep;
  looks_left_ = kLooksPerStep;
  while (looks_left_ > 0 && asks_left_ > 0 && !due_.empty()) {
    Due due = due_.front();
    due_.pop_front();
    if (look_at_some(&due, now)) {
      due_.push_front(due);
      continue;
    }
    due.path->rounds.watched = false;
    if (due.routes) due.path->rounds.routes_due = now + (due.again_soon ? kAnswered : kRoutes);
    if (due.again_soon) next_round_ = std::min(next_round_, now + kAnswered);
  }
}

conf::Instant RouteWatch::next_wake(size_t waiting) const {
  if (collecting_ || !due_.empty()) return conf::Instant{};
  return waiting == 0 ? conf::kNever : next_round_;
}

void RouteWatch::collect(queue::Path* path, conf::Instant now) {
  if (path->rounds.watched || path->ready.empty()) return;
  if (path->site != looked_at_) {
    looked_at_ = path->site;
    outlook_ = parts_.choice->outlook_of(*path->site);
  }
  const Due due{path, path->rounds.routes_due <= now, parts_.choice->others_may_take(*path, outlook_), false};
  if (!due.routes && !due.spills) return;
  path->rounds.watched = true;  // it is not forgotten meanwhile
  path->ready.begin_round(kOfRoutes);
  due_.push_back(due);
}

bool RouteWatch::look_at_some(Due* due, conf::Instant now) {
  uint32_t domain = UINT32_MAX;
  uint16_t stream = queue::StreamTable::kNone;
  Verdict verdict = Verdict::kStays;
  bool others_full = false;  // for this domain and stream: what went before filled them
  while (looks_left_ > 0 && asks_left_ > 0) {
    queue::Delivery* delivery = due->path->ready.next_of_round(kOfRoutes);
    if (delivery == nullptr) return false;
    --looks_left_;
    if (delivery->domain != domain) verdict = judge(delivery->domain, due, now);
    if (delivery->domain != domain || delivery->stream != stream) others_full = false;
    domain = delivery->domain;
    stream = delivery->stream;
    if (verdict == Verdict::kMaySpill && !others_full) {
      queue::DomainEntry* entry = &parts_.domains->at(domain);
      others_full = !parts_.choice->goes_sooner_elsewhere(entry, stream, *due->path);
    }
    if (verdict == Verdict::kMoves || (verdict == Verdict::kMaySpill && !others_full)) parts_.move(delivery);
  }
  return true;
}

RouteWatch::Verdict RouteWatch::judge(uint32_t number, Due* due, conf::Instant now) {
  queue::DomainEntry& domain = parts_.domains->at(number);
  const bool known = domain.route != nullptr && domain.route_until > now;
  const bool asks = due->routes || due->spills;  // whoever may go elsewhere needs to know where
  if (asks && !known && !domain.routing) {
    --asks_left_;
    parts_.ask(&domain);
  }
  if (asks && domain.routing) due->again_soon = true;
  if (domain.route == nullptr || domain.route_until <= now) return Verdict::kStays;
  if (domain.route->kind != mx::Route::Kind::kHosts) {
    // That no name server answers says nothing of where the mail belongs.
    return domain.route->kind == mx::Route::Kind::kDefer ? Verdict::kStays : Verdict::kMoves;
  }
  if (!parts_.sites->leads_here(domain, due->path)) return Verdict::kMoves;
  return due->spills ? Verdict::kMaySpill : Verdict::kStays;
}

}  // namespace relay
