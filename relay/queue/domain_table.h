// The recipient domains that have mail here: named once, numbered, with what was last learnt about where
// their mail goes. A million deliveries hold four bytes each instead of a name. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/address.h"
#include "mx/dns/route.h"
#include "mx/rules/rule_book.h"
#include "relay/queue/delivery.h"
#include "relay/queue/last_hosts.h"

namespace relay::queue {

// The route by way of the smart hosts of a rule that only the MX hosts or the source decide.
struct Detour {
  mx::RulePtr rule;
  mx::RoutePtr route;
  conf::Instant until{};
};

struct DomainEntry {
  conf::Domain name;
  uint32_t number = 0;
  uint32_t deliveries = 0;                // that refer to it
  mx::RoutePtr route;                     // null: not asked yet, or no longer good
  conf::Instant route_until{};            // `route` holds until then
  bool routing = false;                   // a question is under way
  bool renewing = false;                  // ... for mail that waits for a path of the old route
  mx::RulePtr asked_detour;               // ... for the way by the smart hosts of this rule
  bool smart_route = false;               // `route` leads to smart hosts: no rule leads elsewhere
  bool outdated = false;                  // ... asked under an older configuration
  uint16_t last_host = LastHosts::kNone;  // in LastHosts: where its mail went, when `route` does not say
  DeliveryList waiting;                   // kRouting: for the answer
  conf::SettingsPtr settings;             // of the current configuration; null: not looked up yet
  uint32_t destination = 0;               // 0: the defaults, else 1 + position
  uint32_t generation = 0;                // of the configuration that all this was found by
  mx::RuleBook::Candidates rules;         // of the present route; not asked yet: empty
  std::vector<Detour> detours;            // by way of the smart hosts of rules; few
  conf::ListHook<DomainEntry> idle_hook;  // linked while nothing refers to it
};

class DomainTable {
 public:
  ~DomainTable();
  // The number of the domain, with one more delivery that refers to it.
  uint32_t intern(const conf::Domain& name);
  void release(uint32_t number);
  DomainEntry& at(uint32_t number) {
    DomainEntry& entry = *entries_[number];
    if (entry.generation != generation_) refresh(&entry);
    return entry;
  }
  const conf::Domain& name(uint32_t number) const { return entries_[number]->name; }
  const DomainEntry* find(std::string_view name) const;
  // A reply to its mail came from this host, before a restart.
  void went_to(uint32_t number, std::string_view host) {
    if (const uint16_t last = last_hosts_.number_of(host, ""); last != LastHosts::kNone)
      entries_[number]->last_host = last;
  }
  // The one writer of `route` but for a new configuration. `route` is not null.
  void set_route(DomainEntry* entry, mx::RoutePtr route);
  const LastHosts& last_hosts() const { return last_hosts_; }
  // A new configuration: settings and routes are found anew, each when it is next looked at. O(1).
  void forget_routes() { ++generation_; }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kParts = 256;
  static size_t part_of(std::string_view name) { return std::hash<std::string_view>()(name) % kParts; }
  void evict(DomainEntry* entry);
  void refresh(DomainEntry* entry) const;
  void note_hosts(DomainEntry* entry) const;
  // By number; null: free. Not a vector: growing must not move a million at once.
  std::deque<std::unique_ptr<DomainEntry>> entries_;
  std::vector<uint32_t> free_numbers_;
  // By name, in parts, so that no insertion stops the loop for long. Views into the entries.
  std::array<std::unordered_map<std::string_view, uint32_t>, kParts> by_name_;
  mutable LastHosts last_hosts_;  // a look finds what a new configuration has made of an entry
  size_t size_ = 0;
  uint32_t generation_ = 0;  // of the configuration
  conf::IntrusiveList<DomainEntry, &DomainEntry::idle_hook> idle_;
};

}  // namespace relay::queue
