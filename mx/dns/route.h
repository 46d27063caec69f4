// Where mail for a domain goes (RFC 5321 §5.1, RFC 7505): MX by preference, equals shuffled, implicit MX,
// null MX, ourselves cut out, hosts with their addresses. Pure: asks a Resolver.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/address.h"
#include "conf/vocab/random.h"
#include "mx/dns/resolver.h"

namespace mx {

struct RouteHost {
  std::string name;  // MX host name (SNI, log); the bare IP for address literals
  uint16_t preference = 0;
  uint16_t port = 25;
  std::vector<std::string>
      addresses;  // IPv6 and IPv4 interleaved, first family by chance; refused targets left out
  std::string counted_as() const { return port == 25 ? name : name + ':' + std::to_string(port); }
};

struct Route {
  enum class Kind : uint8_t {
    kHosts,     // try `hosts` in order
    kDefer,     // temporary DNS trouble: enhanced 4.4.3
    kNoDomain,  // NXDOMAIN: 5.1.2
    kNullMx,    // 556 5.1.10 (RFC 7505)
    kLoop,      // we are the best MX: 5.4.6
    kNoHosts,   // MX exist, none usable (no address, private, IP as name): 5.4.4, or kDefer when a lookup
                // failed
  };
  Kind kind = Kind::kDefer;
  std::vector<RouteHost> hosts;  // at least one, each with at least one address, when kHosts
  std::string site;       // all named hosts, in alphabetical order, whether or not they have addresses now
  std::string order;      // the same in the order of their preference; "" when all are equal
  std::string detail;     // for people; also what was ignored ("MX 10 192.0.2.1 is an address, ignored")
  conf::Duration ttl{0};  // how long it holds
  bool partial = false;   // addresses of a host could not be found out now; `detail` says so
  uint16_t reply_code() const;          // 451, 550, 556, 554 ... for non-kHosts
  const char* enhanced_status() const;  // "4.4.3", "5.1.2", "5.1.10", "5.4.6", "5.4.4"
};
using RoutePtr = std::shared_ptr<const Route>;
// The same hosts in the same order with the same addresses, whatever the order of equals.
bool is_same_way(const Route& a, const Route& b);

struct RouterOptions {
  std::string hostname;                    // ours: an MX naming it is a loop
  std::vector<std::string> own_addresses;  // ours with the port we listen on ("192.0.2.1:25"): same
                                           // ("0.0.0.0:25", "[::]:25": all addresses)
  bool ipv6 = true;
  bool allow_private_targets = false;
};

class Router {
 public:
  Router(RouterOptions options, Resolver* resolver, conf::Random* random);
  ~Router();
  // Of the routes that are asked for from now on.
  void use_own_addresses(std::vector<std::string> addresses) {
    options_.own_addresses = std::move(addresses);
  }
  using Done = std::function<void(RoutePtr)>;
  // `settings` gives smart hosts and port. `done` may run inside the call when all is cached; exactly once.
  // A domain may be an address literal.
  void route(const conf::Domain& domain, const conf::DestinationSettings& settings, Done done);

 private:
  struct Lookup;
  RouterOptions options_;
  Resolver* resolver_;
  conf::Random* random_;
};

}  // namespace mx
