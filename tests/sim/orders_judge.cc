#include "tests/sim/orders_judge.h"

#include <algorithm>
#include <map>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// What was on the wire when the order came: see the judge of the limits.
constexpr conf::Duration kOnTheWire = 61ms;
// From the moment that mail may go until it has gone: routes, connections, and those before it.
constexpr conf::Duration kGoesWithin = 15s;

bool holds(const OrderHistory& told, const HandedIn& message, size_t source, conf::Instant from,
           conf::Instant to) {
  return std::any_of(told.orders.begin(), told.orders.end(), [&](const GivenOrder& order) {
    return order.means[message.site][source] && (order.stream < 0 || order.stream == message.stream) &&
           order.from < to && order.until > from;
  });
}

bool is_down(const OrderHistory& told, conf::Instant from, conf::Instant to) {
  return std::any_of(told.downs.begin(), told.downs.end(),
                     [&](const RelayDown& down) { return down.from < to && down.until > from; });
}

// A moment at which the message could begin to go from some source, and went not for so long.
conf::Instant neglected_at(const OrderHistory& told, const HandedIn& message, conf::Instant gone) {
  std::vector<conf::Instant> moments = {message.at};
  for (const GivenOrder& order : told.orders) moments.push_back(order.until);
  for (const RelayDown& down : told.downs) moments.push_back(down.until);
  std::sort(moments.begin(), moments.end());
  const size_t sources = told.orders.empty() ? 1 : told.orders[0].means[message.site].size();
  for (const conf::Instant moment : moments) {
    if (moment < message.at || moment >= gone || gone - moment <= kGoesWithin) continue;
    if (is_down(told, moment, moment + kGoesWithin)) continue;
    for (size_t source = 0; source < sources; ++source)
      if (!holds(told, message, source, moment, moment + kGoesWithin)) return moment;
  }
  return conf::kNever;
}

std::string seconds_text(conf::Instant at) {
  return "at " + std::to_string(at.time_since_epoch().count()) + " us: ";
}

}  // namespace

std::vector<std::string> judge_orders(const History& seen, const OrderHistory& told) {
  std::vector<std::string> violations;
  const auto violate = [&](std::string what) {
    if (violations.size() < 20) violations.push_back(std::move(what));
  };
  std::map<std::string, conf::Instant> gone;
  std::map<std::string, HandedIn> messages;
  for (const HandedIn& message : told.messages) messages[message.from] = message;
  for (const SeenMail& mail : seen.mails) {
    const SeenSession& session = seen.sessions[mail.session];
    const auto sent = messages.find(mail.from);
    if (sent != messages.end() && mail.at - kOnTheWire > sent->second.over)
      violate(seconds_text(mail.at) + "mail of " + mail.from + " is sent after its validity");
    for (const GivenOrder& order : told.orders) {
      if (!order.means[session.site][session.source]) continue;
      const HandedIn& message = messages[mail.from];
      if (order.domain >= 0 && order.domain != message.domain) continue;
      if (order.stream >= 0 && order.stream != message.stream) continue;
      if (mail.at > order.from + kOnTheWire && mail.at < order.until)
        violate(seconds_text(mail.at) + "a message to site " + std::to_string(session.site) +
                " from source " + std::to_string(session.source) + " against an order");
    }
    if (mail.said != conf::kNever) gone.emplace(mail.from, mail.at);  // else a crash came between
  }
  for (const HandedIn& message : told.messages) {
    const auto found = gone.find(message.from);
    const conf::Instant at = found == gone.end() ? std::min(told.end, message.over) : found->second;
    const conf::Instant since = neglected_at(told, message, at);
    if (since != conf::kNever)
      violate(seconds_text(since) + "mail of " + message.from + " to site " + std::to_string(message.site) +
              " waits with no order against it");
  }
  return violations;
}

}  // namespace sim
