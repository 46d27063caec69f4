#include "relay/desk/order_rounds.h"

#include <algorithm>
#include <utility>

#include "relay/desk/detached.h"
#include "relay/desk/order_names.h"
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

void spend(size_t what, size_t* budget) { *budget -= std::min(*budget, what); }

}  // namespace

std::vector<mx::Decision> tell_order(Transit* transit, const queue::Path& path, const admin::MxOrder& order) {
  std::vector<mx::Decision> decisions = path.standing->take_decisions();
  for (mx::Decision& decision : decisions) {
    if (decision.ordered && !order.who.empty()) decision.by += " " + order.who;
  }
  transit->dispatcher().gate().tell(path, decisions);
  return decisions;
}

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
        leave_wider_orders(round, &budget);
        break;
      case Phase::kPaths:
        reach_paths(round, now, &budget);
        break;
      case Phase::kTogether:
        reach_counted_together(round, now, &budget);
        break;
      case Phase::kDetached:
        reach_detached(round, now, &budget);
        break;
      case Phase::kOver:
        finish(round);
        break;
    }
  }
}

void OrderRounds::begin(Round* round, conf::Instant now) {
  const admin::MxOrder& order = round->order;
  round->until = order.block_for.count() == 0 ? conf::kNever : now + order.block_for;
  round->phase = Phase::kOver;
  // What is to be lifted may have been ordered under an older configuration.
  if (order.action == admin::MxAction::kBlock || !book_->has(order)) {
    round->done.problem = unknown_name(order, *transit_->config());
    if (!round->done.problem.empty()) return;
  }
  if (order.action != admin::MxAction::kBlock) {
    find_other_names(round, now);
    round->phase = Phase::kOtherNames;
    if (round->here.empty() || round->others.empty()) lift(round);
    return;
  }
  round->done.also_later = true;
  if (!order.dry_run && !book_->add(order, round->until)) {
    round->done.also_later = false;
    round->done.problem =
        "there are " + std::to_string(OrderBook::kMost) + " orders already; lift some first";
    return;
  }
  if (!order.dry_run) on_book_();
  round->phase = Phase::kPaths;
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
void OrderRounds::leave_wider_orders(Round* round, size_t* budget) {
  const bool more = transit_->sites().visit_some(&round->part, kLooksAtOnce, [&](const queue::Path* path) {
    spend(1 + round->others.size(), budget);
    std::erase_if(round->others, [&](const admin::MxOrder& other) {
      return reach_->is_meant(other, *path) && !round->here.contains(name_of(*path));
    });
  });
  if (!more || round->others.empty()) lift(round);
}

void OrderRounds::lift(Round* round) {
  const admin::MxOrder& order = round->order;
  const auto covered = [round](const admin::MxOrder& other) {
    return std::ranges::any_of(round->others,
                               [&](const admin::MxOrder& each) { return same_target(each, other); });
  };
  round->done.lifted = order.dry_run ? book_->has(order) : book_->lift(order, covered);
  if (!order.dry_run) on_book_();
  round->phase = Phase::kPaths;
  round->part = 0;
}

void OrderRounds::reach_paths(Round* round, conf::Instant now, size_t* budget) {
  const size_t orders = book_->all(now).size();  // each is asked whether it means the path too
  const bool more = transit_->sites().visit_some(&round->part, kLooksAtOnce, [&](queue::Path* path) {
    const bool meant = reach_->is_meant(round->order, *path);
    spend(meant ? kOfChange + orders : 1, budget);
    if (meant) to_path(round, path, now);
  });
  if (more) return;
  round->part = 0;
  round->phase = round->reached.empty() ? Phase::kDetached : Phase::kTogether;
}

// What is held against a path holds for all that are counted together with it: whoever named one hears of the
// others. An order of their own goes on.
void OrderRounds::reach_counted_together(Round* round, conf::Instant now, size_t* budget) {
  const bool more = transit_->sites().visit_some(&round->part, kLooksAtOnce, [&](queue::Path* path) {
    const auto shared = round->reached.find(path->standing);
    const bool together = shared != round->reached.end() && !reach_->is_meant(round->order, *path);
    spend(together ? kOfChange : 1, budget);
    if (!together) return;
    admin::MxOrderDone& done = round->done;
    if (++done.together <= kNamesShown)
      done.names_together.push_back(path->site->label + " from " + path->source.name);
    if (round->order.dry_run) return;
    leave_to_others(round, path, &shared->second.until, now);
    transit_->dispatcher().poke(path);
  });
  if (more) return;
  round->part = 0;
  round->phase = Phase::kDetached;
}

// What another order says of the path holds on, or the end that it gives is the later one.
void OrderRounds::leave_to_others(Round* round, queue::Path* path, conf::Instant* until, conf::Instant now) {
  const OrderBook::Entry* other = reach_->latest_for(*path, now);
  if (other == nullptr) return;
  if (round->order.action != admin::MxAction::kBlock) ++round->done.held;
  if (path->standing->ordered() && other->until <= *until) return;
  path->standing->block(other->until, who_and_why(other->order), now);
  *until = other->until;
}

void OrderRounds::to_path(Round* round, queue::Path* path, conf::Instant now) {
  const admin::MxOrder& order = round->order;
  mx::Standing* standing = path->standing.get();
  const bool changed = round->reached.contains(path->standing);  // by way of another path that shares it
  if (!changed && !has_work(order, *standing)) return note_automatic(round, *standing);
  count(path->site->label, path->source.name, &round->done);
  Round::Shared alone;
  Round::Shared* shared = has_shared_standing(*path) ? &round->reached[path->standing] : &alone;
  if (order.dry_run) return;
  if (!changed) {
    change(order, standing, round->until, now);
    shared->until = round->until;
  }
  leave_to_others(round, path, &shared->until, now);
  if (order.action == admin::MxAction::kReset) {
    for (auto& [address, traffic] : path->traffic) traffic->reset();
    for (auto& [host, traffic] : path->hosts) traffic->reset();
  }
  std::vector<mx::Decision> told = tell_order(transit_, *path, order);
  if (changed)
    transit_->dispatcher().gate().tell(*path, shared->told);  // people look at each that they named
  if (!changed) shared->told = std::move(told);
  transit_->dispatcher().poke(path);
}

// No order holds it back, and none is lifted: the replies do, or the probes and the ramp that follow a block.
void OrderRounds::note_automatic(Round* round, const mx::Standing& standing) {
  if (standing.state() == mx::Standing::State::kOpen) return;
  ++(standing.state() == mx::Standing::State::kBlocked ? round->done.automatic : round->done.probing);
}

void OrderRounds::reach_detached(Round* round, conf::Instant now, size_t* budget) {
  const admin::MxOrder& order = round->order;
  const auto use = [&](const mx::CounterKey& key, mx::Standing& standing, bool /*superseded*/) {
    const bool of_source =
        order.source.empty() || key.names.source == order.source || key.names.source == "*";
    const bool of_domain = of_source && reach_->is_led_to(key.names.site, order);
    if (!is_meant(order, key) && !of_domain) return;
    spend(kOfChange, budget);
    if (!has_work(order, standing)) {
      note_automatic(round, standing);
      return;
    }
    count(view_of(key, standing, now).site, key.names.source, &round->done);
    if (order.dry_run) return;
    change(order, &standing, round->until, now);
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
