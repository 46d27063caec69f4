#include "mx/dns/route.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "conf/limits.h"
#include "mx/dns/special_address.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kConfiguredTtl = 1h;  // of a route that needs no lookup
constexpr conf::Duration kTroubleTtl = 30s;    // of a route that could not be found out
constexpr conf::Duration kPartialTtl = 5s;     // of one without the hosts that could not be found out

bool is_address(const std::string& text) {
  std::array<uint8_t, 16> ip{};
  return conf::parse_ip(text, &ip);
}

// RFC 5321 §5.1 says any order among equals; the shuffle spreads the load.
void order_by_preference(std::vector<MxRecord>* records, conf::Random* random) {
  for (size_t i = records->size(); i > 1; --i) std::swap((*records)[i - 1], (*records)[random->below(i)]);
  std::ranges::stable_sort(*records, {}, &MxRecord::preference);
}

std::string site_key(const std::vector<RouteHost>& hosts) {
  std::set<std::string> names;
  for (const RouteHost& host : hosts) {
    names.insert(host.counted_as());
  }
  std::string key;
  for (const std::string& name : names) key += (key.empty() ? "" : ",") + name;
  return key;
}

// "192.0.2.1:25", "[2001:db8::1]:25": compared as addresses, not as texts.
bool is_place(const std::string& place, const std::string& address, uint16_t port) {
  const size_t colon = place.rfind(':');
  if (colon == std::string::npos || place.substr(colon + 1) != std::to_string(port)) return false;
  std::string_view host = std::string_view(place).substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  // A listener on all addresses hears those of the machine that no interface has, too.
  const bool v6 = same_address(address, "::1") || same_address(address, "::");
  const bool any = host == "::" || (host == "0.0.0.0" && !v6);
  return leads_to(address, host) || (any && is_this_machine(address));
}

// Groups of equal preference, the best first. The numbers themselves mean nothing.
std::string order_key(std::vector<RouteHost> hosts) {
  std::ranges::stable_sort(hosts, {}, &RouteHost::preference);
  std::string key;
  for (size_t begin = 0; begin < hosts.size();) {
    size_t end = begin;
    while (end < hosts.size() && hosts[end].preference == hosts[begin].preference) ++end;
    if (begin == 0 && end == hosts.size()) return "";
    key += (begin == 0 ? "" : "|") + site_key({hosts.begin() + static_cast<ptrdiff_t>(begin),
                                               hosts.begin() + static_cast<ptrdiff_t>(end)});
    begin = end;
  }
  return key;
}

}  // namespace

bool is_same_way(const Route& a, const Route& b) {
  using Places = std::map<std::string, std::set<std::string>>;  // host with its port -> its addresses
  const auto places = [](const Route& route) {
    Places out;
    for (const RouteHost& host : route.hosts)
      out[host.name + ':' + std::to_string(host.port)].insert(host.addresses.begin(), host.addresses.end());
    return out;
  };
  return a.kind == b.kind && a.site == b.site && a.order == b.order && places(a) == places(b);
}

uint16_t Route::reply_code() const {
  switch (kind) {
    case Kind::kHosts:
      return 250;
    case Kind::kDefer:
      return 451;
    case Kind::kNullMx:
      return 556;
    case Kind::kNoDomain:
    case Kind::kNoHosts:
      return 550;
    case Kind::kLoop:
      return 554;
  }
  return 451;
}

const char* Route::enhanced_status() const {
  switch (kind) {
    case Kind::kHosts:
      return "2.0.0";
    case Kind::kDefer:
      return "4.4.3";
    case Kind::kNoDomain:
      return "5.1.2";
    case Kind::kNullMx:
      return "5.1.10";
    case Kind::kLoop:
      return "5.4.6";
    case Kind::kNoHosts:
      return "5.4.4";
  }
  return "4.4.3";
}

// One lookup under way: the hosts in order, and how many of their addresses are still to come.
struct Router::Lookup : std::enable_shared_from_this<Router::Lookup> {
  struct Host {
    RouteHost host;
    std::vector<std::string> v4, v6;
    bool failed = false;  // for now
    bool alias_of_us = false;
  };
  RouterOptions options;
  Resolver* resolver = nullptr;
  conf::Random* random = nullptr;
  Done done;
  std::string domain;
  std::vector<Host> hosts;
  size_t waiting = 0;
  bool implicit_mx = false;
  bool configured = false;  // smart hosts or an address literal: nothing is a loop
  std::string notes;        // what was ignored
  conf::Duration ttl = 24h;

  void note(const std::string& text) { notes += (notes.empty() ? "" : "; ") + text; }
  void finish(Route::Kind kind, std::string detail) {
    auto route = std::make_shared<Route>();
    route->kind = kind;
    route->detail = std::move(detail);
    if (!notes.empty()) route->detail += (route->detail.empty() ? "" : "; ") + notes;
    route->ttl = kind == Route::Kind::kDefer ? kTroubleTtl : ttl;
    if (kind == Route::Kind::kHosts) {
      std::vector<RouteHost> named;
      for (Host& each : hosts) {
        if (each.failed) route->ttl = std::min(route->ttl, kPartialTtl);
        route->partial |= each.failed;
        named.push_back({each.host.name, each.host.preference, each.host.port, {}});
        if (!each.host.addresses.empty()) route->hosts.push_back(std::move(each.host));
      }
      route->site = site_key(named);
      route->order = order_key(std::move(named));
    }
    std::exchange(done, {})(std::move(route));
  }

  void ask_mx(uint16_t port);
  void take_mx(const DnsAnswer& answer, uint16_t port);
  void add_host(const std::string& name, uint16_t preference, uint16_t port);
  bool ourselves(const Host& host) const;
  bool cut_loop();
  void ask_addresses();
  void take_addresses(size_t index, bool v6, const DnsAnswer& answer);
  void conclude();
};

void Router::Lookup::ask_mx(uint16_t port) {
  resolver->query(domain, RecordType::kMx, [self = shared_from_this(), port](const DnsAnswerPtr& answer) {
    self->take_mx(*answer, port);
  });
}

void Router::Lookup::take_mx(const DnsAnswer& answer, uint16_t port) {
  switch (answer.status) {
    case DnsStatus::kNoName:
      ttl = answer.ttl;
      finish(Route::Kind::kNoDomain, "the domain " + domain + " does not exist");
      return;
    case DnsStatus::kFailed:
      finish(Route::Kind::kDefer,
             "the MX records of " + domain + " cannot be found out now: " + answer.detail);
      return;
    case DnsStatus::kTimeout:
      finish(Route::Kind::kDefer, "no answer about the MX records of " + domain + " in time");
      return;
    case DnsStatus::kNoData:  // RFC 5321 §5.1: the domain itself is its MX
      ttl = std::max(answer.ttl, conf::Duration(0));
      implicit_mx = true;
      add_host(answer.canonical_name, 0, port);
      ask_addresses();
      return;
    case DnsStatus::kOk:
      break;
  }
  ttl = answer.ttl;
  std::vector<MxRecord> records = answer.mx;
  if (records.size() == 1 && records.front().host.empty()) {
    finish(Route::Kind::kNullMx, "the domain " + domain + " takes no mail (null MX)");
    return;
  }
  // Which hosts of very many are taken, and so the site, is the same at every look-up.
  std::ranges::sort(records, {}, [](const MxRecord& each) { return std::pair(each.preference, each.host); });
  std::vector<MxRecord> taken;
  for (const MxRecord& record : records) {
    const std::string shown = "MX " + std::to_string(record.preference) + " " + record.host;
    if (record.host.empty()) {
      note("a null MX beside others is ignored (RFC 7505 section 3)");
    } else if (is_address(record.host)) {
      note(shown + " is an address, not a name: ignored");
    } else if (record.host == "localhost" || record.host.find('?') != std::string::npos) {
      note(shown + " is ignored");
    } else if (std::ranges::find(taken, record.host, &MxRecord::host) != taken.end()) {
      continue;  // named twice
    } else if (taken.size() < conf::limits::kMxHosts) {
      taken.push_back(record);
    }
  }
  order_by_preference(&taken, random);
  for (const MxRecord& record : taken) add_host(record.host, record.preference, port);
  ask_addresses();
}

void Router::Lookup::add_host(const std::string& name, uint16_t preference, uint16_t port) {
  Host host;
  host.host.name = name;
  host.host.preference = preference;
  host.host.port = port;
  hosts.push_back(std::move(host));
}

void Router::Lookup::ask_addresses() {
  if (hosts.empty()) {
    conclude();
    return;
  }
  waiting = 1;  // so that cached answers do not conclude before all were asked
  for (size_t i = 0; i < hosts.size(); ++i) {
    const std::string name = hosts[i].host.name;
    if (is_address(name)) {
      (name.find(':') == std::string::npos ? hosts[i].v4 : hosts[i].v6).push_back(name);
      continue;
    }
    ++waiting;
    resolver->query(name, RecordType::kA, [self = shared_from_this(), i](const DnsAnswerPtr& answer) {
      self->take_addresses(i, false, *answer);
    });
    if (!options.ipv6) continue;
    ++waiting;
    resolver->query(name, RecordType::kAaaa, [self = shared_from_this(), i](const DnsAnswerPtr& answer) {
      self->take_addresses(i, true, *answer);
    });
  }
  if (--waiting == 0) conclude();
}

void Router::Lookup::take_addresses(size_t index, bool v6, const DnsAnswer& answer) {
  Host& host = hosts[index];
  if (answer.status == DnsStatus::kFailed || answer.status == DnsStatus::kTimeout) {
    const bool told = std::exchange(host.failed, true);
    if (!told)
      note("the addresses of " + host.host.name + " cannot be found out now" +
           (answer.detail.empty() ? "" : ": " + answer.detail));
  } else if (answer.status == DnsStatus::kOk) {
    ttl = std::min(ttl, answer.ttl);
    (v6 ? host.v6 : host.v4) = answer.addresses;
    host.alias_of_us |= answer.canonical_name == options.hostname;
  }
  if (--waiting == 0) conclude();
}

bool Router::Lookup::ourselves(const Host& host) const {
  if (host.host.name == options.hostname || host.alias_of_us) return true;
  const auto own = [this, &host](const std::string& address) {
    return std::ranges::any_of(options.own_addresses, [&](const std::string& place) {
      return is_place(place, address, host.host.port);
    });
  };
  return std::ranges::any_of(host.v4, own) || std::ranges::any_of(host.v6, own);
}

// RFC 5321 §5.1: when we are among the MX hosts, those as preferred as we, or less, are not for us. True:
// none is left.
bool Router::Lookup::cut_loop() {
  const auto us = std::ranges::find_if(hosts, [this](const Host& host) { return ourselves(host); });
  if (us == hosts.end()) return false;
  const uint16_t preference = us->host.preference;
  std::erase_if(hosts, [preference](const Host& host) { return host.host.preference >= preference; });
  return hosts.empty();
}

void Router::Lookup::conclude() {
  if (!configured && cut_loop()) {
    finish(Route::Kind::kLoop,
           "mail for " + domain + " loops back to this relay: it is the best MX of the domain");
    return;
  }
  bool any = false, failed = false;
  const bool v6_first = random->chance(0.5);
  for (Host& host : hosts) {
    failed |= host.failed;
    const auto refused = [this, &host](const std::string& address) {
      if (options.allow_private_targets || !is_private_target(address)) return false;
      note(host.host.name + " has the private address " + address + ": refused");
      return true;
    };
    std::erase_if(host.v4, refused);
    std::erase_if(host.v6, refused);
    const std::vector<std::string>& first = v6_first ? host.v6 : host.v4;
    const std::vector<std::string>& second = v6_first ? host.v4 : host.v6;
    for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
      if (i < first.size()) host.host.addresses.push_back(first[i]);
      if (i < second.size()) host.host.addresses.push_back(second[i]);
    }
    if (host.host.addresses.size() > conf::limits::kAddressesPerHost) {
      host.host.addresses.resize(conf::limits::kAddressesPerHost);
    }
    any |= !host.host.addresses.empty();
  }
  if (any) {
    finish(Route::Kind::kHosts, "");
  } else if (failed) {
    finish(Route::Kind::kDefer, "no host for " + domain + " can be reached by name now");
  } else if (implicit_mx && notes.empty()) {
    finish(Route::Kind::kNoHosts, "the domain " + domain + " has neither MX nor address records");
  } else {
    finish(configured ? Route::Kind::kDefer : Route::Kind::kNoHosts, "no usable host for " + domain);
  }
}

Router::Router(RouterOptions options, Resolver* resolver, conf::Random* random)
    : options_(std::move(options)), resolver_(resolver), random_(random) {}

Router::~Router() = default;

void Router::route(const conf::Domain& domain, const conf::DestinationSettings& settings, Done done) {
  auto lookup = std::make_shared<Lookup>();
  lookup->options = options_;
  lookup->resolver = resolver_;
  lookup->random = random_;
  lookup->done = std::move(done);
  lookup->domain = domain.text();
  if (!settings.smart_hosts.empty()) {
    lookup->configured = true;
    lookup->ttl = kConfiguredTtl;
    lookup->options.allow_private_targets = true;  // the operator named it
    uint16_t order = 0;
    for (const conf::SmartHost& host : settings.smart_hosts) lookup->add_host(host.host, order++, host.port);
    lookup->ask_addresses();
  } else if (domain.is_literal()) {
    lookup->ttl = kConfiguredTtl;
    lookup->add_host(std::string(domain.literal_address()), 0, settings.port);
    lookup->ask_addresses();
  } else {
    lookup->ask_mx(settings.port);
  }
}

}  // namespace mx
