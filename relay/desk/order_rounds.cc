#include "relay/desk/order_rounds.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "relay/desk/detached.h"
#include "relay/desk/order_names.h"
#include "relay/desk/path_orders.h"
#include "relay/desk/site_mask.h"

namespace relay {

namespace {

constexpr size_t kNamesShown = 50;
constexpr size_t kMostSiteNames = 2000;    // that a slip of the pen is compared with
constexpr size_t kMostSiteLooks = 20'000;  // at paths, to find these
constexpr size_t kMostOtherNames = 16;     // of one place, among the orders

// In looks at a path or a counter that is not meant, some 0.3 us each.
constexpr size_t kWork = 2048;
constexpr size_t kOfChange = 32;
constexpr size_t kLooksAtOnce = 64;

// Whether the order changes what the replies brought.
bool changes_standing(const admin::MxOrder& order, const mx::Standing& standing) {
  if (order.action == admin::MxAction::kReset) return true;
  return order.action == admin::MxAction::kUnblock && order.automatic &&
         standing.state() != mx::Standing::State::kOpen;
}

std::vector<mx::Decision> change(const admin::MxOrder& order, mx::Standing* standing, conf::Instant now) {
  if (order.action == admin::MxAction::kReset) {
    standing->reset(now);
  } else {
    standing->unblock(now);
  }
  return standing->take_decisions();
}

void count(const std::string& site, const std::string& source, admin::MxOrderDone* done) {
  ++done->paths;
  if (done->names.size() < kNamesShown) done->names.push_back(site + " from " + source);
}

// Where another rule decides by now, it is that one's path that people know.
void count(const queue::Path& path, admin::MxOrderDone* done) {
  if (path.superseded) {
    ++done->superseded;
  } else {
    count(path.site->label, path.source.name, done);
  }
}

void spend(size_t what, size_t* budget) { *budget -= std::min(*budget, what); }

}  // namespace

void OrderRounds::take(const admin::MxOrder& order, Done done) {
  Round& round = orders_.emplace_back();
  round.order = order;
  round.heard = std::move(done);
  if (orders_.size() == 1) step(transit_->clock().now());
}

void OrderRounds::step(conf::Instant now) {
  size_t budget = kWork;
  while (budget > 0 && under_way()) {
    Round* round = &orders_.front();
    switch (round->phase) {
      case Phase::kBegin:
        begin(round, now);
        break;
      case Phase::kOtherNames:
        leave_wider_orders(round, now, &budget);
        break;
      case Phase::kPaths:
        reach_paths(round, now, &budget);
        break;
      case Phase::kTogether:
        reach_counted_together(round, &budget);
        break;
      case Phase::kDetached:
        reach_detached(round, now, &budget);
        break;
      case Phase::kMail:
        if (!streams_.reach_some(round->order, &round->part, &budget, &round->done))
          round->phase = Phase::kOver;
        break;
      case Phase::kOver:
        finish(round);
        break;
    }
  }
}

void OrderRounds::begin(Round* round, conf::Instant now) {
  const admin::MxOrder& order = round->order;
  round->phase = Phase::kOver;
  // What is to be lifted may have been ordered under an older configuration.
  if (order.action == admin::MxAction::kBlock || !book_->has(order)) {
    round->done.problem = unknown_name(order, *transit_->config(), transit_->sites().streams());
    if (!round->done.problem.empty()) return;
  }
  if (order.action != admin::MxAction::kBlock) {
    find_other_names(round, now);
    round->phase = Phase::kOtherNames;
    if (round->here.empty() || round->others.empty()) lift(round, now);
    return;
  }
  round->done.also_later = true;
  const conf::Instant until = order.block_for.count() == 0 ? conf::kNever : now + order.block_for;
  if (!order.dry_run && !book_->add(order, until)) {
    round->done.also_later = false;
    round->done.problem =
        "there are " + std::to_string(OrderBook::kMost) + " orders already; lift some first";
    return;
  }
  if (!order.dry_run) {
    if (!order.stream.empty()) streams_.tell_blocked(order, until, now);
    changed_book();
  }
  go_out(round, now);
}

// Of one place there are two names, its site and a domain that leads there: whoever lifts by one means the
// orders that were given by the other, if they are about nothing else. O(orders x sites of the domain)
void OrderRounds::find_other_names(Round* round, conf::Instant now) const {
  const admin::MxOrder& order = round->order;
  std::vector<queue::Path*> here;
  if (!order.domain.empty()) here = reach_->paths_of(order);
  std::set<std::string> labels;  // of their sites
  for (const queue::Path* path : here) {
    round->here.insert(name_of(*path));
    labels.insert(path->site->label);
  }
  for (const OrderBook::Entry& entry : book_->all(now)) {
    const admin::MxOrder& other = entry.order;
    if (order.source != other.source) continue;
    const bool by_site = !order.site.empty() && !other.domain.empty() && reach_->leads_to(other, order.site);
    const bool by_domain =
        !other.site.empty() && round->others.size() < kMostOtherNames &&
        std::ranges::any_of(labels, [&](const std::string& label) { return means_site(other.site, label); });
    if (by_site || by_domain) round->others.push_back(other);
  }
}

// Those that also mean a path elsewhere are about more than this place.
void OrderRounds::leave_wider_orders(Round* round, conf::Instant now, size_t* budget) {
  const bool more = transit_->sites().visit_some(&round->part, kLooksAtOnce, [&](const queue::Path* path) {
    spend(1 + round->others.size(), budget);
    std::erase_if(round->others, [&](const admin::MxOrder& other) {
      return reach_->is_meant(other, *path) && !round->here.contains(name_of(*path));
    });
  });
  if (!more || round->others.empty()) lift(round, now);
}

// Its own order, and those that `others` name.
bool OrderRounds::lifts(const Round& round, const admin::MxOrder& other) {
  return same_target(round.order, other) ||
         std::ranges::any_of(round.others,
                             [&](const admin::MxOrder& each) { return same_target(each, other); });
}

void OrderRounds::lift(Round* round, conf::Instant now) {
  const admin::MxOrder& order = round->order;
  const auto covered = [round](const admin::MxOrder& other) { return lifts(*round, other); };
  round->done.lifted = order.dry_run ? book_->has(order) : book_->lift(order, covered);
  if (!order.dry_run) {
    if (!order.stream.empty() && round->done.lifted) streams_.tell_end(order, "the order is lifted");
    changed_book();
  }
  go_out(round, now);
}

void OrderRounds::ended(const admin::MxOrder& order) {
  if (!order.stream.empty()) streams_.tell_end(order, "the order is over");
}

void OrderRounds::changed_book() {
  streams_.apply();
  on_book_();
}

void OrderRounds::go_out(Round* round, conf::Instant now) {
  round->part = 0;
  round->phase = round->order.stream.empty() ? Phase::kPaths : Phase::kMail;
  if (round->phase == Phase::kMail) streams_.name(round->order, now, &round->done);
}

void OrderRounds::reach_paths(Round* round, conf::Instant now, size_t* budget) {
  const size_t of_change = kOfChange + book_->all(now).size();  // each is asked whether it means the path too
  const size_t at_once = std::clamp<size_t>(kWork / of_change, 1, kLooksAtOnce);
  const bool block = round->order.action == admin::MxAction::kBlock;
  const DomainOrders::Lifted lifted = [round](const admin::MxOrder& other) { return lifts(*round, other); };
  std::optional<DomainOrders::Latest> latest;
  const bool more = transit_->sites().visit_some(&round->part, at_once, [&](queue::Path* path) {
    const bool meant = reach_->is_meant(round->order, *path);
    spend(meant ? of_change : 1, budget);
    if (!meant) return;
    if (!latest) latest = domains_->latest(now, block ? nullptr : lifted);
    to_path(round, path, *latest, now);
  });
  if (more) return;
  round->part = 0;
  // Of those to come the book tells.
  round->phase = block ? Phase::kOver : round->reached.empty() ? Phase::kDetached : Phase::kTogether;
}

// What the replies brought is held against all that are counted together: whoever named one of them hears of
// the others.
void OrderRounds::reach_counted_together(Round* round, size_t* budget) {
  const bool more = transit_->sites().visit_some(&round->part, kLooksAtOnce, [&](queue::Path* path) {
    const bool together =
        round->reached.contains(path->counters.standing) && !reach_->is_meant(round->order, *path);
    spend(together ? kOfChange : 1, budget);
    if (!together) return;
    admin::MxOrderDone& done = round->done;
    if (++done.together <= kNamesShown)
      done.names_together.push_back(path->site->label + " from " + path->source.name);
    if (!round->order.dry_run) transit_->dispatcher().poke(path);
  });
  if (more) return;
  round->part = 0;
  round->phase = Phase::kDetached;
}

void OrderRounds::to_path(Round* round, queue::Path* path, const DomainOrders::Latest& latest,
                          conf::Instant now) {
  const admin::MxOrder& order = round->order;
  if (order.action == admin::MxAction::kBlock) {
    count(*path, &round->done);
    const OrderBook::Entry* longest = order.dry_run ? nullptr : latest.of(*path);
    if (longest != nullptr) hold_path(transit_, path, *longest, order, now);
    return;
  }
  const bool freed = path->holds.ordered(now) && lift_from(round, path, latest.of(*path), now);
  const bool opened = open_standing(round, path, now);
  if (freed || opened) return count(*path, &round->done);
  if (!path->superseded && !path->holds.ordered(now)) note_automatic(round, *path->counters.standing);
}

// False: `other` holds it on, by its own end.
bool OrderRounds::lift_from(Round* round, queue::Path* path, const OrderBook::Entry* other,
                            conf::Instant now) {
  const admin::MxOrder& order = round->order;
  if (other != nullptr) {
    ++round->done.held;
    if (!order.dry_run && path->holds.ordered_until() != other->until)
      hold_path(transit_, path, *other, other->order, now);
    return false;
  }
  if (!order.dry_run) free_path(transit_, path, "the order is lifted", order.who, now);
  return true;
}

// One that several paths share is opened once, and told of each that was named.
bool OrderRounds::open_standing(Round* round, queue::Path* path, conf::Instant now) {
  const admin::MxOrder& order = round->order;
  const auto before = round->reached.find(path->counters.standing);
  const bool again = before != round->reached.end();
  if (!again && !changes_standing(order, *path->counters.standing)) return false;
  std::vector<mx::Decision> alone;
  std::vector<mx::Decision>& told =
      has_shared_standing(*path) ? round->reached[path->counters.standing] : alone;
  if (order.dry_run) return true;
  if (!again) told = change(order, path->counters.standing.get(), now);
  if (order.action == admin::MxAction::kReset) {
    for (auto& [address, traffic] : path->counters.traffic) traffic->reset();
    for (auto& [host, traffic] : path->counters.hosts) traffic->reset();
  }
  tell_ordered(transit_, *path, told, order.who);
  transit_->dispatcher().poke(path);
  return true;
}

// No order holds it back, and none is lifted: the replies do, or the probes and the ramp that follow a block.
void OrderRounds::note_automatic(Round* round, const mx::Standing& standing) {
  if (standing.state() == mx::Standing::State::kOpen) return;
  ++(standing.state() == mx::Standing::State::kBlocked ? round->done.automatic : round->done.probing);
}

void OrderRounds::reach_detached(Round* round, conf::Instant now, size_t* budget) {
  const admin::MxOrder& order = round->order;
  const auto use = [&](const mx::CounterKey& key, mx::Standing& standing, bool superseded) {
    const bool of_source =
        order.source.empty() || key.names.source == order.source || key.names.source == "*";
    const bool of_domain = of_source && reach_->is_led_to(key.names.site, order);
    if (!is_meant(order, key) && !of_domain) return;
    spend(kOfChange, budget);
    if (!changes_standing(order, standing)) {
      if (!superseded) note_automatic(round, standing);
      return;
    }
    if (superseded) {
      ++round->done.superseded;
    } else {
      count(view_of(key, standing, now).site, key.names.source, &round->done);
    }
    if (order.dry_run) return;
    (void)change(order, &standing, now);
    transit_->counters().hurry();
  };
  spend(kLooksAtOnce, budget);
  if (!visit_detached(&transit_->sites(), &round->part, kLooksAtOnce, use)) round->phase = Phase::kOver;
}

void OrderRounds::finish(Round* round) {
  if (round->done.also_later && round->done.paths == 0 && !round->order.site.empty())
    round->done.notice = waits_for_site(round->order.site, known_sites());
  const Done heard = std::move(round->heard);
  admin::MxOrderDone done = std::move(round->done);
  orders_.pop_front();
  heard(std::move(done));
}

std::vector<std::string> OrderRounds::known_sites() const {
  std::set<std::string> names;  // a site has several paths
  size_t part = 0, looks = 0;
  const queue::Site* last = nullptr;
  bool more = true;
  while (more && names.size() < kMostSiteNames && looks < kMostSiteLooks) {
    more = transit_->sites().visit_some(&part, kLooksAtOnce, [&](const queue::Path* path) {
      ++looks;
      if (std::exchange(last, path->site) == path->site) return;
      names.insert(path->site->label);
      for (const mx::RouteHost& host : path->route->hosts) names.insert(host.name);
    });
  }
  return {names.begin(), names.end()};
}

}  // namespace relay
