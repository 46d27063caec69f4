#include "relay/desk/limit_orders.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conf/vocab/address.h"
#include "relay/desk/detached.h"

namespace relay {

namespace {

constexpr size_t kNamesShown = 50;

// Whether the order would change anything here.
bool has_work(const admin::MxOrder& order, const mx::Standing& standing) {
  if (order.action != admin::MxAction::kUnblock) return true;
  return standing.ordered() || (order.automatic && standing.state() != mx::Standing::State::kOpen);
}

// An order stands beside a block that the replies brought: lifting it leaves that, unless it is asked for.
void change(const admin::MxOrder& order, mx::Standing* standing, conf::Instant until, conf::Instant now) {
  switch (order.action) {
    case admin::MxAction::kBlock:
      standing->block(until, who_and_why(order), now);
      return;
    case admin::MxAction::kUnblock:
      if (standing->ordered()) {
        const bool both = standing->state() == mx::Standing::State::kBlocked;
        standing->unblock(now);
        if (!both || !order.automatic) return;
      }
      if (order.automatic && standing->state() != mx::Standing::State::kOpen) standing->unblock(now);
      return;
    case admin::MxAction::kReset:
      standing->reset(now);
      return;
  }
}

void count(const std::string& site, const std::string& source, admin::MxOrderDone* done) {
  ++done->paths;
  if (done->names.size() < kNamesShown) done->names.push_back(site + " from " + source);
}

bool site_matches(const std::string& mask, const mx::Route& route) {
  return conf::domain_matches(mask, route.site) ||
         std::ranges::any_of(route.hosts, [&mask](const mx::RouteHost& host) {
           return conf::domain_matches(mask, host.name);
         });
}

bool site_matches(const std::string& mask, const queue::Site& site) {
  return conf::domain_matches(mask, site.label) ||
         std::ranges::any_of(site.paths,
                             [&mask](const auto& named) { return site_matches(mask, *named.second->route); });
}

}  // namespace

LimitOrders::LimitOrders(Transit* transit, spool::Spool* spool)
    : transit_(transit), book_(spool, &transit->clock()), next_end_(book_.first_end()) {
  transit_->sites().on_path = [this](queue::Path* path) { place(path); };
}

LimitOrders::~LimitOrders() { transit_->sites().on_path = nullptr; }

bool LimitOrders::is_meant(const admin::MxOrder& order, const queue::Path& path) const {
  if (!order.source.empty() && path.source.name != order.source) return false;
  if (!order.rule.empty()) return path.rule != nullptr && conf::domain_matches(order.rule, path.rule->name);
  if (!order.site.empty()) return site_matches(order.site, *path.site);
  if (order.domain.empty()) return order.all || !order.source.empty();
  const queue::DomainEntry* domain = transit_->domains().find(order.domain);
  return domain != nullptr && transit_->sites().find(*domain, path.source) == &path;
}

// Of the orders that mean the path the one that ends last; null: none does.
const OrderBook::Entry* LimitOrders::latest_for(const queue::Path& path, conf::Instant now) {
  const OrderBook::Entry* latest = nullptr;
  for (const OrderBook::Entry& entry : book_.all(now)) {
    if (is_meant(entry.order, path) && (latest == nullptr || entry.until > latest->until)) latest = &entry;
  }
  return latest;
}

// A new path, or one that has come under another rule.
void LimitOrders::place(queue::Path* path) {
  const conf::Instant now = transit_->clock().now();
  const OrderBook::Entry* entry = latest_for(*path, now);
  if (entry == nullptr || (path->standing->ordered() && path->standing->blocked_until() >= entry->until))
    return;
  path->standing->block(entry->until, who_and_why(entry->order), now);
  tell(*path, entry->order);
}

// With who gave the order.
void LimitOrders::tell(const queue::Path& path, const admin::MxOrder& order) {
  std::vector<mx::Decision> decisions = path.standing->take_decisions();
  for (mx::Decision& decision : decisions) {
    if (decision.by == "operator" && !order.who.empty()) decision.by += " " + order.who;
  }
  transit_->dispatcher().gate().tell(path, decisions);
}

void LimitOrders::to_path(Work* work, queue::Path* path) {
  const admin::MxOrder& order = *work->order;
  if (!is_meant(order, *path)) return;
  mx::Standing* standing = path->standing.get();
  const bool shared = work->reached.contains(standing);  // and changed already
  if (!shared && !has_work(order, *standing)) {
    if (standing->state() != mx::Standing::State::kOpen) ++work->done.automatic;
    return;
  }
  count(path->site->label, path->source.name, &work->done);
  work->reached.insert(standing);
  if (order.dry_run) return;
  if (!shared) change(order, standing, work->until, work->now);
  // What another order says of this path holds on, or the end that it gives is the later one.
  const OrderBook::Entry* other = latest_for(*path, work->now);
  if (other != nullptr && order.action != admin::MxAction::kBlock) ++work->done.held;
  if (other != nullptr && (!standing->ordered() || other->until > work->until))
    standing->block(other->until, who_and_why(other->order), work->now);
  if (order.action == admin::MxAction::kReset) {
    for (auto& [address, traffic] : path->traffic) traffic->reset();
    for (auto& [host, traffic] : path->hosts) traffic->reset();
  }
  tell(*path, order);
  transit_->dispatcher().poke(path);
}

void LimitOrders::to_detached(Work* work) {
  const admin::MxOrder& order = *work->order;
  const queue::DomainEntry* domain = order.domain.empty() ? nullptr : transit_->domains().find(order.domain);
  const std::string site =
      domain == nullptr || domain->route == nullptr ? std::string() : domain->route->site;
  const auto is_of_domain = [&](const mx::CounterKey& key) {
    return !site.empty() && key.names.site.substr(0, key.names.site.find('|')) == site &&
           (order.source.empty() || key.names.source == order.source || key.names.source == "*");
  };
  for_each_detached(&transit_->sites(), [&](const mx::CounterKey& key, mx::Standing& standing) {
    if (!relay::is_meant(order, key) && !is_of_domain(key)) return;
    if (!has_work(order, standing)) {
      if (standing.state() != mx::Standing::State::kOpen) ++work->done.automatic;
      return;
    }
    count(view_of(key, standing, work->now).site, key.names.source, &work->done);
    if (order.dry_run) return;
    change(order, &standing, work->until, work->now);
    transit_->counters().hurry();
  });
}

void LimitOrders::step(conf::Instant now) {
  if (now < next_end_) return;
  (void)book_.all(now);  // forgets those that are over
  next_end_ = book_.first_end();
  transit_->look_for_ways();
}

std::vector<admin::OrderView> LimitOrders::in_force() {
  const conf::Instant now = transit_->clock().now();
  std::vector<admin::OrderView> views;
  for (const OrderBook::Entry& entry : book_.all(now)) {
    admin::OrderView view{entry.order, std::nullopt};
    if (entry.until != conf::kNever) view.seconds = std::chrono::duration<double>(entry.until - now).count();
    views.push_back(std::move(view));
  }
  return views;
}

bool LimitOrders::is_source(const std::string& name) const {
  const std::vector<conf::Source>& sources = transit_->config()->sources;
  return std::any_of(sources.begin(), sources.end(),
                     [&](const conf::Source& source) { return source.name == name; });
}

// Of one place there are two names, its site and a domain that leads there: whoever lifts by one means the
// order that was given by the other, if it is about nothing else.
bool LimitOrders::covers(const admin::MxOrder& order, const admin::MxOrder& other) const {
  if (order.source != other.source) return false;
  if (!order.site.empty() && !other.domain.empty()) {
    const queue::DomainEntry* domain = transit_->domains().find(other.domain);
    return domain != nullptr && domain->route != nullptr && site_matches(order.site, *domain->route);
  }
  if (order.domain.empty() || other.site.empty()) return false;
  bool some = false, all = true;
  transit_->sites().for_each([&](queue::Path* path) {
    if (!is_meant(other, *path)) return;
    some = true;
    all = all && is_meant(order, *path);
  });
  return some && all;
}

admin::MxOrderDone LimitOrders::carry_out(const admin::MxOrder& order) {
  Work work;
  work.order = &order;
  work.now = transit_->clock().now();
  work.until = order.block_for.count() == 0 ? conf::kNever : work.now + order.block_for;
  if (order.action == admin::MxAction::kBlock && !order.source.empty() && !is_source(order.source)) {
    work.done.problem = "no [[source]] is named \"" + order.source + "\"";
    return work.done;
  }
  if (order.action != admin::MxAction::kBlock) {
    const auto covered = [&](const admin::MxOrder& other) { return covers(order, other); };
    work.done.lifted = order.dry_run ? book_.has(order) : book_.lift(order, covered);
  } else if (!order.dry_run && !book_.add(order, work.until)) {
    work.done.problem = "there are " + std::to_string(OrderBook::kMost) + " orders already; lift some first";
    return work.done;
  }
  next_end_ = book_.first_end();
  transit_->sites().for_each([&](queue::Path* path) { to_path(&work, path); });
  to_detached(&work);
  work.done.also_later = order.action == admin::MxAction::kBlock && order.domain.empty();
  return work.done;
}

}  // namespace relay
