// Sites and paths. A site is a set of MX hosts under one set of settings; a path is a site reached from one
// of our source addresses under one MX rule. Limits and back-offs belong to paths, for that is what a
// receiving server sees of us; what is counted may be shared by several (the scope of the rule). Domains with
// another order of hosts (RFC 5321 §5.1) have paths of their own. Plain data of SiteTable and Dispatcher.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "mx/dns/route.h"
#include "mx/limits/admission.h"
#include "mx/rules/path_limits.h"
#include "mx/rules/rule_book.h"
#include "relay/flow/host_offer.h"
#include "relay/flow/path_connections.h"
#include "relay/flow/path_counters.h"
#include "relay/flow/path_health.h"
#include "relay/flow/path_holds.h"
#include "relay/flow/path_rounds.h"
#include "relay/flow/path_waits.h"
#include "relay/flow/slow_host.h"
#include "relay/flow/work_entry.h"
#include "relay/queue/ready.h"

namespace relay {
class OutboundConnection;
struct SharedLine;
}  // namespace relay

namespace relay::queue {

struct Site;

// Its place among the paths that are counted together (SharedLine). Written by SharedLines and the line.
struct LinePlace {
  std::shared_ptr<SharedLine> line;  // null: it is counted alone
  uint32_t number = 0;               // its name there; 0: it never was in one
  bool has_mail = false;             // as is known there
  bool hungry = false;               // ... mail, no connection, and it could open one
};

struct Path {
  // Which path it is, and under what terms. Written by the SiteTable.
  Site* site = nullptr;
  conf::Source source;
  mx::RulePtr rule;            // null: none matches
  bool superseded = false;     // another rule decides here now: it lives as long as something of it is open
  uint32_t rules = 0;          // so many edits of the rules are behind it: see SiteTable::awaits_rules()
  conf::SettingsPtr settings;  // of the destination, with the values of the rule
  mx::RoutePtr route;          // the latest of the domains whose mail goes this way, all of one order
  mx::PathLimitsPtr limits;
  PathCounters counters;

  // Its mail. Written by WaitingMail.
  ReadyQueue ready;
  conf::Instant first_expiry = conf::kNever;  // nothing is to be told of any delivery in `ready` before

  PathConnections connections;
  PathHealth health;
  PathHolds holds;
  PathWaits waits;
  LinePlace shared;
  WorkEntry work;
  PathRounds rounds;

  void look_by(conf::Instant when) { first_expiry = std::min(first_expiry, when); }
  // By an order, which stands beside what the replies brought, or by that: the later end counts.
  bool blocked(conf::Instant now) const {
    return holds.ordered(now) || counters.standing->state() == mx::Standing::State::kBlocked;
  }
  conf::Instant blocked_until() const {
    return std::max(holds.ordered_until(), counters.standing->blocked_until());
  }
  // While blocked: when the next message may go, which can be an early probe.
  conf::Instant frees_at() const {
    if (counters.standing->state() != mx::Standing::State::kBlocked) return holds.ordered_until();
    return std::max(holds.ordered_until(), counters.standing->frees_at());
  }
  // Whatever is counted: those that are counted together with it may go on.
  mx::Admission held_alone(conf::Instant now) const {
    if (holds.ordered(now)) return mx::Admission::no(mx::Bind::kBlocked, frees_at());
    if (holds.paused(now)) return mx::Admission::no(mx::Bind::kSlowed, holds.paused_until());
    return {};
  }
  // The same for a message that is not in memory yet.
  mx::Admission next_held(conf::Instant now) const {
    if (const mx::Admission held = held_alone(now); !held.yes) return held;
    if (holds.lacks_memory(now)) return mx::Admission::no(mx::Bind::kMemory, holds.memory_until());
    return {};
  }
  // It is being tried, for longer than it takes where all is well or after failures, and nothing is open.
  bool is_being_tried(conf::Instant now) const {
    return connections.opening() > 0 && !connections.any_was_ready() &&
           (health.failing() || now - connections.opening_since() >= kSlowToOpen);
  }
  static constexpr conf::Duration kSlowToOpen = std::chrono::seconds(3);
  // It fails or broke lately: one connection at a time is tried until it works again. One that rests, at a
  // host that is at its limit, is tried no more.
  bool one_probe_only() const {
    return (health.failing() && connections.opening() > 0) ||
           (health.breaks() > 1 && !connections.all_rest());
  }
  // Nothing goes over it any more, nor does it stand for what is held against the site.
  bool is_past() const { return superseded && ready.empty() && connections.size() == 0; }
  // Somebody has it in hand, or what it knows would be forgotten with it. Orders would not be: a new path is
  // told them.
  bool is_needed(conf::Instant now) const {
    return !ready.empty() || connections.size() > 0 || health.backs_off(now) || holds.paused(now) ||
           waits.in_line() || work.in_a_list() || rounds.any();
  }
};

struct Site {
  std::string key;    // hosts and destination
  std::string label;  // hosts, for people and the log
  std::string destination;
  conf::SettingsPtr settings;                          // of the destination
  std::map<std::string, std::unique_ptr<Path>> paths;  // by the names of source and rule, and by order
  std::map<std::string, conf::Instant> failing_hosts;  // address -> not first choice before then
  std::map<std::string, conf::Instant> left_hosts;     // the same: a reply rule said so
  // By source and address: what is silent to one source, behind its firewall, may be well for another.
  std::map<std::pair<std::string, std::string>, SlowHost> slow_hosts;
  std::map<std::string, HostOffer> offers;  // "address port" -> too little for some mail
  // By name: a reply rule said that the source does not speak to this site before then.
  std::map<std::string, conf::Instant, std::less<>> sources_off;

  bool is_left(const std::string& address, conf::Instant now) const {
    const auto left = left_hosts.find(address);
    return left != left_hosts.end() && left->second > now;
  }
};

}  // namespace relay::queue
