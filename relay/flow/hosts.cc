#include "relay/flow/hosts.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/flow/source_pool.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kFailureRemembered = 60s;
constexpr conf::Duration kShortSilence = 5s;  // costs little: the host may be asked again soon
constexpr int kLeaveForSilences = 4;          // so many times as long as it was silent, at first
constexpr conf::Duration kLongestPause = 1h;
constexpr conf::Duration kOffersKept = 10min;

conf::Instant slow_until(const queue::Path& path, const std::string& address) {
  const auto& hosts = path.site->slow_hosts;
  if (hosts.empty()) return {};  // as nearly always
  const auto slow = hosts.find({path.source.name, address});
  return slow == hosts.end() ? conf::Instant{} : slow->second.until;
}

// It fails, is slow, or is left. In the past: none of these.
conf::Instant avoided_until(const queue::Path& path, const std::string& address) {
  const auto until = [&address](const auto& hosts) {
    const auto found = hosts.find(address);
    return found == hosts.end() ? conf::Instant{} : found->second;
  };
  return std::max({until(path.site->failing_hosts), until(path.site->left_hosts), slow_until(path, address)});
}

bool has_one_address(const queue::Path& path) {
  size_t count = 0;
  for (const mx::RouteHost& host : path.route->hosts) {
    count += static_cast<size_t>(std::ranges::count_if(host.addresses, [&](const std::string& address) {
      return queue::same_family(path.source.address, address);
    }));
  }
  return count == 1;
}

std::string place_of(const std::string& address, uint16_t port) {
  return address + ' ' + std::to_string(port);
}

bool is_too_little(const queue::Path& path, const std::string& place, const smtp::RecipientOutcome& refused,
                   conf::Instant now) {
  const auto found = path.site->offers.find(place);
  if (found == path.site->offers.end() || found->second.until <= now) return false;
  const queue::HostOffer& offer = found->second;
  const uint16_t subject = refused.reply.enhanced.subject;  // RFC 3463 §3.4: X.3.4 is about the size
  if (subject == 3) return offer.max_size > 0 && refused.octets > offer.max_size;
  // RFC 3463 §3.7, RFC 6531 §3.5: X.6.7 is about SMTPUTF8.
  return refused.reply.enhanced.detail == 7 ? !offer.utf8 : !offer.eight_bit;
}

}  // namespace

bool Hosts::is_well(const queue::Path& path, const std::string& address, conf::Instant now) {
  return queue::same_family(path.source.address, address) && avoided_until(path, address) <= now;
}

std::vector<Target> Hosts::in_order(const queue::Path& path) const {
  std::vector<const mx::RouteHost*> hosts;
  for (const mx::RouteHost& host : path.route->hosts) hosts.push_back(&host);
  for (size_t i = hosts.size(); i > 1; --i) std::swap(hosts[i - 1], hosts[random_->below(i)]);
  std::stable_sort(hosts.begin(), hosts.end(), [](const mx::RouteHost* one, const mx::RouteHost* other) {
    return one->preference < other->preference;
  });
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

std::vector<Target> Hosts::to_try(const queue::Path& path, conf::Instant now, const May& may) const {
  std::vector<Target> good, bad;
  uint16_t worst = UINT16_MAX;  // of a host that is well, but may not be used now
  for (Target& target : in_order(path)) {
    if (target.rank > worst) break;
    const bool well = is_well(path, target.address, now);
    if (!may(target.address)) {
      if (well) worst = target.rank;
      continue;
    }
    (well ? good : bad).push_back(std::move(target));
  }
  // A connection to a host that is left would end unused (is_left_for_another()), and one to a host that
  // fails makes the path back off from the one that is well.
  if (worst != UINT16_MAX) bad.clear();
  good.insert(good.end(), std::make_move_iterator(bad.begin()), std::make_move_iterator(bad.end()));
  return good;
}

void Hosts::failed(const queue::Path& path, const Target& target, conf::Instant silent_since,
                   conf::Instant now) {
  path.site->failing_hosts[target.address] = now + kFailureRemembered;
  was_silent(path, target, silent_since, now);
  got_worse(path);
}

void Hosts::was_silent(const queue::Path& path, const Target& target, conf::Instant since,
                       conf::Instant now) {
  if (now - since < kShortSilence || has_one_address(path)) return;
  queue::SlowHost& host = path.site->slow_hosts[{path.source.name, target.address}];
  if (host.pause.count() > 0 && since < host.since) return;
  const conf::Duration least =
      std::max<conf::Duration>(kLeaveForSilences * (now - since), kFailureRemembered);
  host = {std::min<conf::Duration>(std::max(2 * host.pause, least), kLongestPause), now, {}};
  host.until = now + host.pause;
  got_worse(path);
}

void Hosts::visits(const queue::Path& path, const Target& target, conf::Instant now) {
  auto& slow = path.site->slow_hosts;
  const auto found = slow.find({path.source.name, target.address});
  if (found == slow.end() || found->second.until > now) return;
  found->second.until = now + found->second.pause;
}

void Hosts::answered(const queue::Path& path, const Target& target, conf::Instant asked) {
  auto& slow = path.site->slow_hosts;
  const auto found = slow.find({path.source.name, target.address});
  if (found != slow.end() && asked >= found->second.since) slow.erase(found);
}

void Hosts::leave(const queue::Path& path, const Target& target, conf::Instant until) {
  conf::Instant& left = path.site->left_hosts[target.address];
  left = std::max(left, until);
  got_worse(path);
}

void Hosts::got_worse(const queue::Path& path) const {
  if (!ask_again_ || has_one_address(path)) return;
  for (const auto& [name, each] : path.site->paths) {
    if (!each->ready.empty()) ask_again_(each.get());
  }
}

bool Hosts::any_well(const queue::Path& path, conf::Instant now) const {
  return std::any_of(path.route->hosts.begin(), path.route->hosts.end(), [&](const mx::RouteHost& host) {
    return std::any_of(host.addresses.begin(), host.addresses.end(),
                       [&](const std::string& address) { return is_well(path, address, now); });
  });
}

conf::Instant Hosts::left_until(const queue::Path& path, conf::Instant now) {
  conf::Instant soonest = conf::kNever;
  for (const mx::RouteHost& host : path.route->hosts) {
    for (const std::string& address : host.addresses) {
      const conf::Instant until = avoided_until(path, address);
      if (until > now && queue::same_family(path.source.address, address)) soonest = std::min(soonest, until);
    }
  }
  return soonest;
}

bool Hosts::has_other(const OutboundConnection& connection, conf::Instant now) const {
  const queue::Path& path = *connection.path();
  const Target& here = connection.target();
  return std::any_of(path.route->hosts.begin(), path.route->hosts.end(), [&](const mx::RouteHost& host) {
    return std::any_of(host.addresses.begin(), host.addresses.end(), [&](const std::string& address) {
      return (address != here.address || host.port != here.port) && is_well(path, address, now);
    });
  });
}

void Hosts::offers_too_little(const OutboundConnection& connection, conf::Instant now) {
  connection.path()->site->offers[place_of(connection.target().address, connection.target().port)] = {
      connection.most_octets(), connection.takes_eight_bit(), connection.takes_utf8(), now + kOffersKept};
}

Hosts::Others Hosts::others_offer(const OutboundConnection& connection, const smtp::RecipientOutcome& refused,
                                  conf::Instant now) const {
  const queue::Path& path = *connection.path();
  const std::string here = place_of(connection.target().address, connection.target().port);
  Others others = Others::kTooLittle;
  for (const mx::RouteHost& host : path.route->hosts) {
    for (const std::string& address : host.addresses) {
      const std::string place = place_of(address, host.port);
      if (place == here || !queue::same_family(path.source.address, address) ||
          is_too_little(path, place, refused, now))
        continue;
      if (is_well(path, address, now)) return Others::kWell;
      others = Others::kNotAsked;
    }
  }
  return others;
}

bool Hosts::is_left_for_another(const OutboundConnection& connection, conf::Instant now) const {
  const queue::Path& path = *connection.path();
  return path.site->is_left(connection.target().address, now) && has_other(connection, now);
}

bool Hosts::is_worse_than_needed(const OutboundConnection& connection, conf::Instant now) const {
  const Target& here = connection.target();
  const queue::Path& path = *connection.path();
  if (is_left_for_another(connection, now)) return true;
  if (here.rank == 0) return false;
  uint16_t rank = 0;
  const std::vector<mx::RouteHost>& hosts = path.route->hosts;  // the best first
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0 && hosts[i].preference != hosts[i - 1].preference) ++rank;
    if (rank >= here.rank) return false;
    const bool well = std::any_of(hosts[i].addresses.begin(), hosts[i].addresses.end(),
                                  [&](const std::string& address) { return is_well(path, address, now); });
    if (well) return true;
  }
  return false;
}

void Hosts::learn(const OutboundConnection& connection, const Target& target, conf::Instant now) {
  peers_.learn(target.address, target.port, connection.lessons(), now);
}

bool Hosts::tls_failed(const Target& target, conf::Instant now) {
  const bool known = about(target, now).refused.has(smtp::Extension::kStartTls);
  smtp::Lessons lessons;
  lessons.refused.add(smtp::Extension::kStartTls);
  peers_.learn(target.address, target.port, lessons, now);
  return !known;
}

smtp::ExtensionSet Hosts::left_out_for(const Target& target, const conf::PeerSettings& settings,
                                       conf::Instant now) const {
  smtp::ExtensionSet off = about(target, now).refused;
  if (!settings.size) off.add(smtp::Extension::kSize);
  if (!settings.eight_bit_mime) off.add(smtp::Extension::kEightBitMime);
  if (!settings.smtputf8) off.add(smtp::Extension::kSmtpUtf8);
  if (!settings.dsn) off.add(smtp::Extension::kDsn);
  return off;
}

}  // namespace relay
