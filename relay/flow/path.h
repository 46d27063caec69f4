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

#include "bounce/qualifier.h"
#include "conf/config.h"
#include "mx/dns/route.h"
#include "mx/limits/admission.h"
#include "mx/limits/standing.h"
#include "mx/limits/traffic.h"
#include "mx/rules/path_limits.h"
#include "mx/rules/rule_book.h"
#include "relay/flow/slow_host.h"
#include "relay/queue/ready.h"

namespace relay {
class OutboundConnection;
struct SharedLine;
}  // namespace relay

namespace relay::queue {

struct PathError {
  bounce::Stage stage = bounce::Stage::kConnect;
  bounce::Reply reply;  // code 0: no reply; its text says what happened
  std::string mx_host;
  std::string mx_address;
  bounce::Qualification meaning;
  bool present() const { return !reply.lines.empty(); }
};

struct Site;

struct Path {
  Site* site = nullptr;
  conf::Source source;
  mx::RulePtr rule;            // null: none matches
  conf::SettingsPtr settings;  // of the destination, with the values of the rule
  mx::RoutePtr route;          // the latest of the domains whose mail goes this way, all of one order
  mx::PathLimitsPtr limits;
  std::shared_ptr<mx::Standing> standing;
  // By remote address when the scope of the rule is "path", else one under "".
  std::map<std::string, std::shared_ptr<mx::Traffic>, std::less<>> traffic;
  // By host, where the receiver counts more at it than this site (SiteTable::counts_hosts()), besides.
  std::map<std::string, std::shared_ptr<mx::Traffic>, std::less<>> hosts;
  uint32_t counted = 0;  // another number when a reload may have given it other counters than these
  uint32_t rules = 0;    // so many edits of the rules are behind it: see SiteTable::awaits_rules()
  bool moves = false;    // ... and its mail is gone over
  bool gone = false;     // its rule is no more: it lives as long as something of it is open
  ReadyQueue ready;
  uint32_t connections = 0;  // open and opening
  uint32_t opening = 0;      // of these, those that never were ready
  // `opening` above 0: the first of them was begun, or the last one before them got ready, whichever is
  // later.
  conf::Instant opening_since{};
  bool slow_told = false;  // ... and it was told that it takes long
  std::vector<OutboundConnection*> idle;
  conf::Instant backoff_until{};  // no new connection before
  conf::Duration backoff{0};      // above 0: the path fails, and this is its present back-off
  conf::Instant failing_since{};  // connections opened before this add nothing to the back-off
  uint8_t breaks = 0;             // connections in a row that broke before a message was answered
  conf::Instant broke_at{};       // connections opened before this are of the same break
  conf::Instant sick_since{};     // when the first of the present failures was seen
  PathError last_error;
  conf::Instant ordered_until{};  // no new message before: an operator ordered it, for this path alone
  conf::Instant paused_until{};   // the same: a reply rule said so
  std::string paused_by;          // ... in words: "paused by reply rule \"busy\""; empty: nothing did yet
  bool stumbles = false;  // no connection yet since the last success, and targets failed: not all of them
  conf::Instant wake = conf::kNever;    // where it stands in the dispatcher's alarm list
  uint64_t turn = 0;                    // ... among those of the same instant
  bool had_turn = false;                // it sent under counters that others share: they are next
  bool dirty = false;                   // in the dispatcher's work list
  bool starved = false;                 // waits for max_outbound_connections
  bool leasing = false;                 // waits for the counters to reach the disk
  std::shared_ptr<SharedLine> shared;   // with the paths that are counted together with it
  uint32_t number = 0;                  // ... its name there
  bool has_mail = false;                // ... as is known there
  bool hungry = false;                  // ... mail and no connection
  std::vector<const void*> waits_for;   // counters shared with other paths: stands in their lines
  mx::Bind binds = mx::Bind::kNothing;  // what kept mail back when it was last asked
  conf::Instant binds_until{};          // and until when; kNever: until something ends
  conf::Instant routes_due{};           // when it is looked at whether the mail that waits still belongs here
  bool watched = false;                 // ... and that is under way
  bool shown = false;                   // people will see it: see BusiestPaths
  bool rerouting = false;               // in the line of those whose mail finds its way anew
  size_t to_reroute = 0;  // so many of `ready`, the oldest, stand here by an older configuration
  conf::Instant first_expiry = conf::kNever;  // no delivery in `ready` expires before

  bool failing() const { return backoff.count() > 0; }
  bool ordered(conf::Instant now) const { return ordered_until > now; }
  // By an order, which stands beside what the replies brought, or by that: the later end counts.
  bool blocked(conf::Instant now) const {
    return ordered(now) || standing->state() == mx::Standing::State::kBlocked;
  }
  conf::Instant blocked_until() const { return std::max(ordered_until, standing->blocked_until()); }
  // While blocked: when the next message may go, which can be an early probe.
  conf::Instant frees_at() const {
    if (standing->state() != mx::Standing::State::kBlocked) return ordered_until;
    return std::max(ordered_until, standing->frees_at());
  }
  // Whatever is counted: those that are counted together with it may go on.
  mx::Admission held_alone(conf::Instant now) const {
    if (ordered(now)) return mx::Admission::no(mx::Bind::kBlocked, frees_at());
    if (paused_until > now) return mx::Admission::no(mx::Bind::kSlowed, paused_until);
    return {};
  }
  // It is being tried, for longer than it takes where all is well or after failures, and nothing is open.
  bool is_being_tried(conf::Instant now) const {
    return opening > 0 && opening == connections && (failing() || now - opening_since >= kSlowToOpen);
  }
  static constexpr conf::Duration kSlowToOpen = std::chrono::seconds(3);
  // It fails or broke lately: one connection at a time until it works again.
  bool one_probe_only() const { return (failing() && opening > 0) || (breaks > 1 && connections > 0); }
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
  // By code of the refusal: no host offers what some mail needs, so that none is asked after the first.
  std::map<uint16_t, conf::Instant> offers_alike;
  // By name: a reply rule said that the source does not speak to this site before then.
  std::map<std::string, conf::Instant, std::less<>> sources_off;

  bool is_left(const std::string& address, conf::Instant now) const {
    const auto left = left_hosts.find(address);
    return left != left_hosts.end() && left->second > now;
  }
};

}  // namespace relay::queue
