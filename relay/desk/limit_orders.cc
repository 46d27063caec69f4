#include "relay/desk/limit_orders.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "conf/standard_error.h"
#include "relay/admin/mx_order.h"
#include "relay/desk/order_names.h"
#include "relay/desk/path_orders.h"
#include "relay/desk/stream_orders.h"
#include "relay/journal/events.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kFreeAfter = 1s;  // a reload shows many paths one by one: they are freed together

}  // namespace

LimitOrders::LimitOrders(Transit* transit, spool::Spool* spool)
    : transit_(transit),
      book_(spool, &transit->clock()),
      reach_(transit, &book_),
      domains_(&book_, &reach_),
      unmeant_(transit, &reach_, &domains_),
      rounds_(transit, &book_, &reach_, &domains_,
              [this] {
                next_end_ = book_.first_end();
                domains_.hurry(transit_->clock().now());
                unmeant_.look(transit_->clock().now());
              }),
      next_end_(book_.first_end()) {
  domains_.hurry(transit_->clock().now());
  transit_->sites().on_path = [this](queue::Path* path) { place(path); };
  transit_->routes().on_found = [this](const queue::DomainEntry& domain) { follow(domain); };
}

LimitOrders::~LimitOrders() {
  transit_->routes().on_found = nullptr;
  transit_->sites().on_path = nullptr;
}

// A new path, or one that has come under another rule. It is not told: the order was, and a path comes and
// goes with its mail.
void LimitOrders::place(queue::Path* path) {
  const conf::Instant now = transit_->clock().now();
  follow_edit(now);
  const OrderBook::Entry* entry = reach_.latest_for(*path, now);
  const conf::Instant until = entry == nullptr ? conf::Instant{} : entry->until;
  if (path->holds.ordered(now) && path->holds.ordered_until() > until) return unmeant_.look(now + kFreeAfter);
  if (path->holds.ordered_until() >= until) return;
  path->holds.order_until(until);
  transit_->dispatcher().poke(path);
}

// Its mail comes to a path that others made, which may have a connection that rests.
void LimitOrders::follow(const queue::DomainEntry& domain) {
  const conf::Instant now = transit_->clock().now();
  domains_.found(domain, now, [&](queue::Path* path, const auto& entry) { hold(path, entry, now); });
}

void LimitOrders::hold(queue::Path* path, const OrderBook::Entry& entry, conf::Instant now) {
  if (path->holds.ordered(now) && path->holds.ordered_until() >= entry.until) return;
  hold_path(transit_, path, entry, entry.order, now);
}

admin::OrderView LimitOrders::view_of(const OrderBook::Entry& entry, conf::Instant now) const {
  admin::OrderView view{entry.order, std::nullopt};
  if (entry.until != conf::kNever) view.seconds = std::chrono::duration<double>(entry.until - now).count();
  view.problem = gone_name(entry.order, *transit_->config());
  return view;
}

// An edit of the configuration is seen before a path comes under it, and at a start.
void LimitOrders::follow_edit(conf::Instant now) {
  if (config_ == transit_->config()) return;
  const conf::ConfigPtr before = std::exchange(config_, transit_->config());
  follow_names();
  tell_void(before, now);
}

// An order is about what its rule decides, not about how that is called.
void LimitOrders::follow_names() {
  std::vector<std::pair<admin::MxOrder, std::string>> renamed;
  for (const OrderBook::Entry& entry : book_.all(transit_->clock().now())) {
    if (entry.order.rule.empty()) continue;
    std::string name = transit_->sites().limiters().rules().matches_as(entry.order.rule);
    if (!name.empty()) renamed.emplace_back(entry.order, std::move(name));
  }
  for (const auto& [order, name] : renamed) {
    book_.rename_rule(order.rule, name);
    tell(conf::DecisionAction::kBlock, order,
         "the order to block " + admin::target_text(order) + " is about rule " + name +
             " now: that is what an edit calls it");
  }
}

// What an order held by a name goes when an edit takes the name away: that must not go unseen. Told once.
void LimitOrders::tell_void(const conf::ConfigPtr& before, conf::Instant now) {
  for (const OrderBook::Entry& entry : book_.all(now)) {
    const std::string problem = gone_name(entry.order, *config_);
    if (problem.empty() || (before != nullptr && !gone_name(entry.order, *before).empty())) continue;
    tell(conf::DecisionAction::kVoid, entry.order,
         "the order to block " + admin::target_text(entry.order) + " holds nothing that comes now: " +
             problem + (problem.ends_with('?') ? " Lift it" : ". Lift it") +
             ", and give it anew by a name that there is.");
  }
}

void LimitOrders::tell(conf::DecisionAction action, const admin::MxOrder& order, const std::string& text) {
  conf::say(text);
  transit_->notices().ordered(action, order.stream, journal::operator_text(order.who), {}, text);
}

void LimitOrders::step(conf::Instant now) {
  follow_edit(now);
  rounds_.step(now);
  const bool frees = !rounds_.under_way();  // what an order lifts itself it counts, and tells by whom
  const auto held = [&](queue::Path* path, const OrderBook::Entry& entry) { hold(path, entry, now); };
  if (domains_.step(now, transit_->config()->sources.size(), held)) unmeant_.look(now);
  bool ways = frees && unmeant_.step(now);
  if (now >= next_end_) {
    for (const OrderBook::Entry& entry : book_.take_ended(now)) rounds_.ended(entry.order);
    unmeant_.look(now);  // what they held is told
    next_end_ = book_.first_end();
    ways = true;
  }
  if (ways) transit_->look_for_ways();
}

std::vector<admin::OrderView> LimitOrders::in_force() {
  const conf::Instant now = transit_->clock().now();
  std::vector<admin::OrderView> views;
  for (const OrderBook::Entry& entry : book_.all(now)) views.push_back(view_of(entry, now));
  return views;
}

void LimitOrders::tell_streams(const std::string& stream, admin::Explanation* explanation) {
  const conf::Instant now = transit_->clock().now();
  const std::vector<OrderBook::Entry>& all = book_.all(now);
  for (const OrderBook::Entry& entry : all)
    if (!entry.order.stream.empty()) explanation->stream_orders.push_back(view_of(entry, now));
  const OrderBook::Entry* latest = latest_of_stream(stream, all);
  if (latest == nullptr) return;
  explanation->stream_order = view_of(*latest, now);
  explanation->stream_order->order.stream = stream;  // the order may have a mask
}

}  // namespace relay
