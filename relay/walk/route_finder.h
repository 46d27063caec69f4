// The step "find the way" of the walk: the route of the recipient domain (DNS, or smart hosts), the rule, and
// the path from one of our sources. Deliveries of a domain whose route is being asked for stand in its line.
// Loop thread.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/random.h"
#include "mx/dns/resolver.h"
#include "mx/dns/route.h"
#include "mx/rules/rule_book.h"
#include "relay/flow/path_choice.h"
#include "relay/journal/attempt.h"
#include "relay/queue/domain_table.h"
#include "relay/spool/relay_clock.h"
#include "relay/walk/walk.h"

namespace relay {

class RouteFinder {
 public:
  struct Parts {  // all are borrowed but the first two
    conf::ConfigPtr config;
    mx::RuleBookPtr book;                    // null: no rules
    std::vector<std::string> own_addresses;  // see mx::RouterOptions
    mx::Resolver* resolver = nullptr;
    conf::Random* random = nullptr;
    const spool::RelayClock* clock = nullptr;
    queue::DomainTable* domains = nullptr;
    const queue::PathChoice* choice = nullptr;
    Walk* walk = nullptr;
    // A route that was renewed leads elsewhere: hears of it while the domain still has the old one.
    std::function<void(const queue::DomainEntry&, const mx::RoutePtr& found)> moved;
  };
  explicit RouteFinder(Parts parts);

  // Why there is no way: what the recipients get as a reply of our own.
  struct Nowhere {
    bounce::Stage stage = bounce::Stage::kLocal;
    bounce::Reply reply;
    AttemptFacts facts;
  };
  // A path, or nowhere, or neither: then the route is being asked for, the delivery is kRouting, and
  // Walk::advance() gets it when the answer is there.
  struct Way {
    queue::Path* path = nullptr;
    std::optional<Nowhere> nowhere;
  };
  // By the route that is known, unless its time is over.
  Way find(queue::Delivery* delivery);
  // By the route that was just found, for a delivery that waited for it.
  Way follow(queue::Delivery* delivery);

  // Lets mail whose route has been found go its way, no more than costs `most` choices of a known route: what
  // waited for one look-up may be all there is.
  void go_on(size_t most);
  bool may_go_on() const { return !found_.empty(); }

  // What the look-ups begun since the start cost, and the mail that has no way, in choices of a route that is
  // known.
  uint64_t work() const { return work_; }

  // What holds for the domain: the settings of its destination.
  conf::SettingsPtr settings_of(queue::DomainEntry* domain) const;
  // The longest that mail of the domain may have on any path: a rule may give it longer.
  conf::Duration longest_validity(queue::DomainEntry* domain) const {
    return std::max(settings_of(domain)->retry.validity, longest_of_rules_);
  }
  // Calls `then` with the domain and its route; now, or when the route has been found. Makes the domain's
  // entry when there is none; it is forgotten again when nothing refers to it.
  using Asked = std::function<void(queue::DomainEntry* domain)>;
  void ask(const conf::Domain& domain, Asked then);

  // Sees each domain whose route, or detour, was just found, before mail goes by it. Borrowed by whoever sets
  // it; may be null.
  std::function<void(const queue::DomainEntry&)> on_found;

  // Asks anew for a route whose time is over, though no delivery does.
  void renew(queue::DomainEntry* domain);

  void reload(conf::ConfigPtr config, mx::RuleBookPtr book);  // the hostname and the like wait for a restart
  // The listeners are others now: what leads to one of them is a loop. Call it before reload().
  void use_own_addresses(std::vector<std::string> addresses) {
    router_.use_own_addresses(std::move(addresses));
  }

 private:
  struct Question {
    uint32_t domain = 0;  // counted as one more delivery of it
    Asked then;
  };
  struct Found {
    uint32_t domain = 0;  // likewise
    uint32_t dns_micros = 0;
  };
  void wait_for_route(queue::Delivery* delivery, queue::DomainEntry* domain);
  void wait_for_detour(queue::Delivery* delivery, queue::DomainEntry* domain, mx::RulePtr rule);
  void begin_route(queue::DomainEntry* domain);
  void route_found(uint32_t domain, mx::RoutePtr route, conf::Instant asked);
  void detour_found(uint32_t domain, mx::RoutePtr route, conf::Instant asked);
  void found(queue::DomainEntry* domain, conf::Instant asked);
  void ask_again(uint32_t domain);
  bool is_asked(uint32_t domain) const;
  void answer(queue::DomainEntry* domain);

  Parts parts_;
  conf::Duration longest_of_rules_{0};
  mx::Router router_;
  std::vector<Question> questions_;
  std::deque<Found> found_;  // whose mail is to go on
  uint64_t work_ = 0;
};

}  // namespace relay
