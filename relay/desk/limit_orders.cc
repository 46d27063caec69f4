#include "relay/desk/limit_orders.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conf/vocab/address.h"
#include "relay/desk/detached.h"
#include "relay/desk/order_names.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr size_t kNamesShown = 50;
constexpr conf::Duration kFollowEvery = 1s;
constexpr conf::Duration kFreeAfter = 1s;  // a reload shows many paths one by one: they are freed together
constexpr size_t kMostSiteNames = 2000;    // that a slip of the pen is compared with
constexpr size_t kMostOtherNames = 16;     // of one place, among the orders

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

std::string domain_and_source(const admin::MxOrder& order) { return order.domain + '\n' + order.source; }

std::string name_of(const queue::Path& path) {
  return path.site->key + '\n' + path.source.name + '\n' +
         (path.rule == nullptr ? std::string() : path.rule->name) + '\n' +
         (path.route == nullptr ? std::string() : path.route->order);
}

bool site_matches(const std::string& mask, const queue::Site& site) {
  return conf::domain_matches(mask, site.label) ||
         std::ranges::any_of(site.paths,
                             [&mask](const auto& named) { return site_matches(mask, *named.second->route); });
}

}  // namespace

LimitOrders::LimitOrders(Transit* transit, spool::Spool* spool)
    : transit_(transit), book_(spool, &transit->clock()), next_end_(book_.first_end()) {
  follow_at_ = transit_->clock().now();
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
  if (entry != nullptr) return hold(path, *entry, now);
  if (path->standing->ordered()) free_at_ = std::min(free_at_, now + kFreeAfter);
}

void LimitOrders::hold(queue::Path* path, const OrderBook::Entry& entry, conf::Instant now) {
  if (path->standing->ordered() && path->standing->blocked_until() >= entry.until) return;
  path->standing->block(entry.until, who_and_why(entry.order), now);
  tell(*path, entry.order);
}

// Those that the domain of the order leads to.
std::vector<queue::Path*> LimitOrders::paths_of(const admin::MxOrder& order) const {
  std::vector<queue::Path*> paths;
  const queue::DomainEntry* domain = transit_->domains().find(order.domain);
  if (domain == nullptr) return paths;
  for (const conf::Source& source : transit_->config()->sources) {
    if (!order.source.empty() && source.name != order.source) continue;
    if (queue::Path* path = transit_->sites().find(*domain, source)) paths.push_back(path);
  }
  return paths;
}

// A domain may come to lead to a path that others made, and leave one. O(orders x sources)
void LimitOrders::follow_domains(conf::Instant now) {
  follow_at_ = conf::kNever;
  std::map<std::string, std::set<std::string>> leads;
  for (const OrderBook::Entry& entry : book_.all(now)) {
    if (entry.order.domain.empty()) continue;
    follow_at_ = now + kFollowEvery;
    const std::string name = domain_and_source(entry.order);
    const auto before = led_to_.find(name);
    std::set<std::string>& here = leads[name];
    for (queue::Path* path : paths_of(entry.order)) {
      here.insert(name_of(*path));
      hold(path, entry, now);
    }
    if (before == led_to_.end()) continue;
    if (here.empty()) {  // it leads nowhere at present
      here = before->second;
    } else if (!std::includes(here.begin(), here.end(), before->second.begin(), before->second.end())) {
      free_at_ = std::min(free_at_, now);
    }
  }
  led_to_ = std::move(leads);
}

// By an order whose domain leads nowhere at present: it led here, or nobody knows where.
bool LimitOrders::may_be_meant(const queue::Path& path, conf::Instant now) {
  for (const OrderBook::Entry& entry : book_.all(now)) {
    const admin::MxOrder& order = entry.order;
    if (order.domain.empty() || (!order.source.empty() && order.source != path.source.name)) continue;
    const auto led = led_to_.find(domain_and_source(order));
    const bool known = led != led_to_.end() && !led->second.empty();
    if (known ? led->second.contains(name_of(path)) && paths_of(order).empty() : paths_of(order).empty())
      return true;
  }
  return false;
}

// O(paths + blocked paths x orders)
void LimitOrders::free_what_none_means(conf::Instant now) {
  free_at_ = conf::kNever;
  std::set<const mx::Standing*> meant;
  std::map<const mx::Standing*, std::vector<queue::Path*>> left;  // paths may share one
  transit_->sites().for_each([&](queue::Path* path) {
    const mx::Standing* standing = path->standing.get();
    if (!standing->ordered() || meant.contains(standing)) return;
    if (latest_for(*path, now) != nullptr || may_be_meant(*path, now)) {
      meant.insert(standing);
      left.erase(standing);
    } else {
      left[standing].push_back(path);
    }
  });
  for (const auto& [standing, paths] : left) free(paths, now);
}

void LimitOrders::free(const std::vector<queue::Path*>& paths, conf::Instant now) {
  mx::Standing* standing = paths.front()->standing.get();
  (void)standing->may_connect(now);  // an order that is over ends by itself
  if (!standing->ordered()) return;
  standing->unblock(now);
  std::vector<mx::Decision> decisions = standing->take_decisions();
  for (mx::Decision& decision : decisions) decision.text.insert(0, "no order means it any more: ");
  transit_->dispatcher().gate().tell(*paths.front(), decisions);
  for (queue::Path* path : paths) transit_->dispatcher().poke(path);
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
  for_each_detached(&transit_->sites(),
                    [&](const mx::CounterKey& key, mx::Standing& standing, bool /*superseded*/) {
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
  if (now < next_wake()) return;
  if (now >= follow_at_) follow_domains(now);
  const bool frees = now >= free_at_;
  if (frees) free_what_none_means(now);
  if (now >= next_end_) {
    (void)book_.all(now);  // forgets those that are over
    next_end_ = book_.first_end();
  } else if (!frees) {
    return;
  }
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

std::vector<std::string> LimitOrders::known_sites() const {
  std::set<std::string> names;  // a site has several paths
  transit_->sites().for_each([&names](queue::Path* path) {
    if (names.size() >= kMostSiteNames) return;
    names.insert(path->site->label);
    for (const mx::RouteHost& host : path->route->hosts) names.insert(host.name);
  });
  return {names.begin(), names.end()};
}

// Of one place there are two names, its site and a domain that leads there: whoever lifts by one means the
// orders that were given by the other, if they are about nothing else. O(orders + paths)
std::vector<admin::MxOrder> LimitOrders::other_names_of(const admin::MxOrder& order, conf::Instant now) {
  std::vector<admin::MxOrder> others;
  const std::vector<queue::Path*> here = order.domain.empty() ? std::vector<queue::Path*>() : paths_of(order);
  const auto is_here = [&here](const queue::Path* path) {
    return std::find(here.begin(), here.end(), path) != here.end();
  };
  for (const OrderBook::Entry& entry : book_.all(now)) {
    const admin::MxOrder& other = entry.order;
    if (order.source != other.source) continue;
    if (!order.site.empty() && !other.domain.empty()) {
      const queue::DomainEntry* domain = transit_->domains().find(other.domain);
      if (domain != nullptr && domain->route != nullptr && site_matches(order.site, *domain->route))
        others.push_back(other);
    } else if (!other.site.empty() && others.size() < kMostOtherNames &&
               std::any_of(here.begin(), here.end(),
                           [&](const queue::Path* path) { return is_meant(other, *path); })) {
      others.push_back(other);
    }
  }
  if (here.empty() || others.empty()) return others;
  transit_->sites().for_each([&](queue::Path* path) {
    if (!is_here(path))
      std::erase_if(others, [&](const admin::MxOrder& other) { return is_meant(other, *path); });
  });
  return others;
}

admin::MxOrderDone LimitOrders::carry_out(const admin::MxOrder& order) {
  Work work;
  work.order = &order;
  work.now = transit_->clock().now();
  work.until = order.block_for.count() == 0 ? conf::kNever : work.now + order.block_for;
  // What is to be lifted may have been ordered under an older configuration.
  if (order.action == admin::MxAction::kBlock || !book_.has(order)) {
    work.done.problem = unknown_name(order, *transit_->config());
    if (!work.done.problem.empty()) return work.done;
  }
  if (order.action != admin::MxAction::kBlock) {
    const std::vector<admin::MxOrder> others = other_names_of(order, work.now);
    const auto covered = [&others](const admin::MxOrder& other) {
      return std::any_of(others.begin(), others.end(), [&](const admin::MxOrder& each) {
        return each.site == other.site && each.domain == other.domain && each.rule == other.rule &&
               each.source == other.source && each.all == other.all;
      });
    };
    work.done.lifted = order.dry_run ? book_.has(order) : book_.lift(order, covered);
  } else if (!order.dry_run && !book_.add(order, work.until)) {
    work.done.problem = "there are " + std::to_string(OrderBook::kMost) + " orders already; lift some first";
    return work.done;
  }
  next_end_ = book_.first_end();
  if (!order.dry_run) follow_at_ = work.now;
  transit_->sites().for_each([&](queue::Path* path) { to_path(&work, path); });
  to_detached(&work);
  work.done.also_later = order.action == admin::MxAction::kBlock;
  if (work.done.also_later && work.done.paths == 0 && !order.site.empty())
    work.done.notice = waits_for_site(order.site, known_sites());
  return work.done;
}

}  // namespace relay
