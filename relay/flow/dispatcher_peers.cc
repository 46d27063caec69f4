// The dispatcher's servers: which of a domain's hosts a connection goes to, and what is known about them.
#include <algorithm>
#include <utility>

#include "relay/flow/dispatcher.h"
#include "relay/flow/site_table.h"

namespace relay {

namespace {

constexpr uint8_t kMostFreeTries = 12;

}  // namespace

// By preference; among equals, and among the addresses of a host, by chance for each connection
// (RFC 5321 §5.1), so that they share the load.
std::vector<Target> Dispatcher::targets_in_order(const queue::Path& path) const {
  std::vector<const mx::RouteHost*> hosts;
  for (const mx::RouteHost& host : path.route->hosts) hosts.push_back(&host);
  for (size_t i = hosts.size(); i > 1; --i) std::swap(hosts[i - 1], hosts[random_->below(i)]);
  std::ranges::stable_sort(hosts, {}, &mx::RouteHost::preference);
  std::vector<Target> targets;
  uint16_t rank = 0;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const mx::RouteHost& host = *hosts[i];
    if (i > 0 && host.preference != hosts[i - 1]->preference) ++rank;
    const size_t count = host.addresses.size();
    const size_t first = random_->below(count);
    for (size_t k = 0; k < count; ++k) {
      const std::string& address = host.addresses[(first + k) % count];
      if (queue::same_family(path.source.address, address))
        targets.push_back({host.name, address, host.port, rank, {}});
    }
  }
  return targets;
}

bool Dispatcher::is_failing(const queue::Path& path, const std::string& address, conf::Instant now) const {
  const auto failed = path.site->failing_hosts.find(address);
  return failed != path.site->failing_hosts.end() && failed->second > now;
}

// The server at its other end is not among the best that are well.
bool Dispatcher::is_worse_than_needed(const OutboundConnection& connection, conf::Instant now) const {
  const Target& here = connection.target();
  const queue::Path& path = *connection.path();
  if (path.site->is_left(here.address, now)) {
    return std::ranges::any_of(targets_in_order(path), [&](const Target& target) {
      return !path.site->is_left(target.address, now) && !is_failing(path, target.address, now);
    });
  }
  if (here.rank == 0) return false;
  uint16_t rank = 0;
  const std::vector<mx::RouteHost>& hosts = path.route->hosts;  // the best first
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0 && hosts[i].preference != hosts[i - 1].preference) ++rank;
    if (rank >= here.rank) return false;
    const bool well = std::ranges::any_of(hosts[i].addresses, [&](const std::string& address) {
      return queue::same_family(path.source.address, address) && !is_failing(path, address, now);
    });
    if (well) return true;
  }
  return false;
}

void Dispatcher::learn(const OutboundConnection& connection, const Target& target) {
  peers_.learn(target.address, target.port, connection.lessons(), clock_->now());
}

// What does not count is tried again at once; a server that always has something must not keep us busy.
void Dispatcher::bound_free_tries(queue::Delivery* delivery,
                                  std::vector<smtp::RecipientOutcome>* outcomes) const {
  using Kind = smtp::RecipientOutcome::Kind;
  const bool free = std::ranges::all_of(
      *outcomes, [](const smtp::RecipientOutcome& each) { return each.kind == Kind::kNotTried; });
  if (!free) {
    delivery->free_tries = 0;
    return;
  }
  if (++delivery->free_tries <= kMostFreeTries) return;
  delivery->free_tries = 0;
  for (smtp::RecipientOutcome& each : *outcomes) {
    each.kind = Kind::kRefused;
    each.reply = bounce::Reply::make(0, "no connection came as far as an answer: " + each.reply.text());
  }
}

}  // namespace relay
