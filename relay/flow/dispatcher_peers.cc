// The dispatcher's servers: which of a domain's hosts a connection goes to, and what is known about them.
#include <algorithm>
#include <utility>

#include "relay/flow/dispatcher.h"
#include "relay/flow/site_table.h"

namespace relay {

namespace {

constexpr uint8_t kMostFreeTries = 12;
constexpr conf::Duration kSick = std::chrono::seconds(60);

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

// What its destination switches off, and what it did not master before.
smtp::ExtensionSet Dispatcher::left_out_for(const Target& target, const conf::PeerSettings& settings) const {
  smtp::ExtensionSet off = peers_.about(target.address, target.port, clock_->now()).refused;
  if (!settings.size) off.add(smtp::Extension::kSize);
  if (!settings.eight_bit_mime) off.add(smtp::Extension::kEightBitMime);
  if (!settings.smtputf8) off.add(smtp::Extension::kSmtpUtf8);
  if (!settings.dsn) off.add(smtp::Extension::kDsn);
  return off;
}

bool Dispatcher::is_well(const queue::Path& path, const std::string& address, conf::Instant now) const {
  return queue::same_family(path.source.address, address) && !is_failing(path, address, now) &&
         !path.site->is_left(address, now);
}

// Another server of the route than the one at its other end is well.
bool Dispatcher::has_other_host(const OutboundConnection& connection, conf::Instant now) const {
  const queue::Path& path = *connection.path();
  const Target& here = connection.target();
  return std::ranges::any_of(path.route->hosts, [&](const mx::RouteHost& host) {
    return std::ranges::any_of(host.addresses, [&](const std::string& address) {
      return (address != here.address || host.port != here.port) && is_well(path, address, now);
    });
  });
}

// The server at its other end is left for a time, or not among the best that are well.
bool Dispatcher::is_worse_than_needed(const OutboundConnection& connection, conf::Instant now) const {
  const Target& here = connection.target();
  const queue::Path& path = *connection.path();
  if (path.site->is_left(here.address, now) && has_other_host(connection, now)) return true;
  if (here.rank == 0) return false;
  uint16_t rank = 0;
  const std::vector<mx::RouteHost>& hosts = path.route->hosts;  // the best first
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0 && hosts[i].preference != hosts[i - 1].preference) ++rank;
    if (rank >= here.rank) return false;
    const bool well = std::ranges::any_of(
        hosts[i].addresses, [&](const std::string& address) { return is_well(path, address, now); });
    if (well) return true;
  }
  return false;
}

void Dispatcher::learn(const OutboundConnection& connection, const Target& target) {
  peers_.learn(target.address, target.port, connection.lessons(), clock_->now());
}

namespace {

// A 4yz that is about the host that says it, and about nobody else: another one may take the mail
// (RFC 5321 §5.1). Greylisting, a full mailbox, our pace and our reputation are the same at all of them.
bool is_about_host(const smtp::RecipientOutcome& outcome) {
  if (outcome.kind != smtp::RecipientOutcome::Kind::kRefused || outcome.local || !outcome.reply.transient())
    return false;
  const bounce::Qualification& meaning = outcome.meaning;
  if (meaning.throttling || meaning.pace == bounce::Pace::kSlower) return false;
  if (meaning.act != bounce::Act::kNone) return false;  // a rule says what follows
  // RFC 3463 §3.4: X.3.Y is about the mail system. Where the words say otherwise they are believed.
  const bool by_status = outcome.reply.enhanced.present() && outcome.reply.enhanced.subject == 3;
  return meaning.scope == bounce::Scope::kSite || (by_status && meaning.scope == bounce::Scope::kConnection);
}

}  // namespace

// Its greeting is well and its mail is not: what it refused counts as not tried when another host is well.
// The limits have counted it: this host has seen it.
void Dispatcher::try_next_host(const OutboundConnection& connection, queue::Delivery* delivery,
                               std::vector<smtp::RecipientOutcome>* outcomes) {
  using Kind = smtp::RecipientOutcome::Kind;
  const auto any = [outcomes](auto&& is) { return std::any_of(outcomes->begin(), outcomes->end(), is); };
  const bool delivered = any([](const smtp::RecipientOutcome& each) {
    return each.kind == Kind::kDelivered || each.kind == Kind::kDeliveredNoDsn;
  });
  const auto first = std::find_if(outcomes->begin(), outcomes->end(), is_about_host);
  const conf::Instant now = clock_->now();
  if (delivered || first == outcomes->end() || delivery->free_tries >= kMostFreeTries ||
      !has_other_host(connection, now)) {
    if (any([](const smtp::RecipientOutcome& each) { return each.kind != Kind::kNotTried; }))
      delivery->free_tries = 0;
    return;
  }
  const Target& target = connection.target();
  conf::Instant& until = connection.path()->site->left_hosts[target.address];
  if (until <= now)
    tell(*connection.path(), target, first->stage,
         "the next host is tried: " + std::to_string(first->reply.code) + ' ' + first->reply.text());
  until = std::max(until, now + kSick);
  ++delivery->free_tries;
  for (smtp::RecipientOutcome& each : *outcomes) {
    if (is_about_host(each)) each.kind = Kind::kNotTried;
  }
}

void Dispatcher::tls_failed(OutboundConnection* connection, const Target& target, const std::string& why) {
  smtp::Lessons lessons;
  lessons.refused.add(smtp::Extension::kStartTls);
  const bool known =
      peers_.about(target.address, target.port, clock_->now()).refused.has(smtp::Extension::kStartTls);
  peers_.learn(target.address, target.port, lessons, clock_->now());
  if (!known || connection->ever_ready())
    tell(*connection->path(), target, bounce::Stage::kTls, why + "; it goes in clear");
}

void Dispatcher::tell(const queue::Path& path, const Target& target, bounce::Stage stage,
                      std::string text) const {
  if (trouble_) trouble_(path, {stage, target.host, address_text(target), std::move(text)});
}

// What does not count is tried again at once; a server that always has something must not keep us busy.
void Dispatcher::bound_free_tries(queue::Delivery* delivery,
                                  std::vector<smtp::RecipientOutcome>* outcomes) const {
  using Kind = smtp::RecipientOutcome::Kind;
  const bool free = std::ranges::all_of(
      *outcomes, [](const smtp::RecipientOutcome& each) { return each.kind == Kind::kNotTried; });
  if (!free || ++delivery->free_tries <= kMostFreeTries) return;
  delivery->free_tries = 0;
  for (smtp::RecipientOutcome& each : *outcomes) {
    each.kind = Kind::kRefused;
    each.reply = bounce::Reply::make(0, "no connection came as far as an answer: " + each.reply.text());
  }
}

}  // namespace relay
