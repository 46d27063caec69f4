// What the running relay tells about its limits: for `penstock explain` and `penstock mx`. Plain values, made
// on the loop's thread. Seconds are counted from now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/mx_rule.h"
#include "conf/vocab/event.h"
#include "conf/vocab/time.h"
#include "mx/limits/standing.h"
#include "relay/admin/census.h"
#include "relay/admin/flow_view.h"
#include "relay/admin/mx_orders.h"

namespace relay::admin {

struct LimitView {    // one value that holds for a path
  std::string key;    // "messages_per_hour"
  std::string value;  // "10000", "100/min, burst 20", "none"
  std::string where;  // "penstock.toml:12 (rule gmail)"; "[defaults] or [[destination]]" when no rule sets it
  bool by_rule = false;
  // Of a shipped rule that wanted less strict a value than the destination has; empty: there is none.
  std::string overruled_where = std::string();
};

struct ThresholdView {
  double error_rate = 0;  // 0.9
  uint32_t min_messages = 0;
  double window_seconds = 0, block_seconds = 0;
  uint64_t messages = 0, errors = 0;  // now, in the window
  bool tripped = false;               // it blocked: with this sample, which began anew then
  std::string where;
  bool since_block = false;  // the sample has begun anew with a block
};

struct TrafficView {    // the counters of one scope
  std::string address;  // "*" unless the scope is path
  uint32_t connections = 0, window = 0;
  uint32_t used_in_hour = 0, used_in_slice = 0;
  uint32_t slice_limit = 0;   // what the slice of 5 minutes may hold; 0: no slices
  double slowed_seconds = 0;  // the receiver asked for a pause, so long from now; 0: none
};

struct DecisionView {
  conf::WallTime time;
  std::shared_ptr<const conf::SiteDecision> decision;
};

struct PathView {
  std::string site, source, rule, rule_where;  // rule "": none matches
  uint32_t source_id = 0;
  std::optional<conf::RuleScope> scope;  // nothing: no path is open, so nothing is counted for it
  bool one_site = false;                 // counted together with all sites of the rule
  std::vector<LimitView> limits;
  uint32_t messages_per_hour = 0;  // the quota of each counter in `traffic`; 0: none
  std::vector<TrafficView> traffic;
  std::vector<ThresholdView> thresholds;
  mx::Standing::State state = mx::Standing::State::kOpen;
  double blocked_seconds = 0;                  // kBlocked: so long yet; < 0: until an operator says so
  uint32_t learned_per_hour = 0;               // adaptive: 0 none
  std::optional<conf::AdaptiveMode> adaptive;  // as for scope
  uint32_t ladder_per_day = 0, ladder_step = 0, ladder_used = 0;  // warm-up; per_day 0: not on a ladder
  uint64_t ready = 0, in_flight = 0, connections = 0;
  FlowView last_minute;
  AllowedFlow allowed;
  mx::Bind binds = mx::Bind::kNothing;  // what keeps mail back now
  std::string why;                      // more than `binds` says: "paused by reply rule ..."; "": no more
  double frees_seconds = 0;             // when `binds` ends; < 0: when a connection or a transaction ends
  bool opening = false;    // `why` says what the receiver is being waited for, and nothing else binds
  std::string last_error;  // why the path failed, if it does
  std::vector<std::string> replies;     // the latest refusals, at most three
  std::vector<DecisionView> decisions;  // the latest, newest first, at most ten
};

// How much of the mail to a domain is drawn to a source at present, and why not more.
struct SourceView {
  std::string name;
  uint32_t weight = 0;
  double share = 0;                     // of all: 0.25
  std::string never;                    // why it never sends there; "": it may
  mx::Bind binds = mx::Bind::kNothing;  // why others go first
  double frees_seconds = 0;             // when `binds` ends; < 0: nobody knows
  std::string why = std::string();      // as of a path
};

struct RouteView {
  struct Host {
    std::string name;
    uint32_t preference = 0;
    std::vector<std::string> addresses;
  };
  std::string domain;
  std::string site;    // "" when there is no route
  std::string detail;  // why there is none, or what was left out
  std::string by;      // "MX", "smart hosts"
  double ttl_seconds = 0;
  std::vector<Host> hosts;
};

// How many paths are in which state, and the ready deliveries behind a block (those
// that ready_limit has put off meanwhile are not counted).
struct LimiterCounts {
  uint64_t blocked = 0, probing = 0, ramp = 0;
  uint64_t blocked_deliveries = 0;
};

struct Explanation {
  RouteView route;
  std::vector<PathView>
      paths;  // one per source that may send there (only the asked one if a source was named)
  std::vector<SourceView> sources;        // all that are configured
  std::string problem;                    // "no source is named x"; "" when all is well
  Waiting waiting;                        // all mail to the domain that is not finished
  std::vector<OrderView> stream_orders;   // in force, on whatever streams
  std::optional<OrderView> stream_order;  // ... the one that holds the stream that was asked for longest
  bool unknown_source = false;            // or stream: `problem` says so
};

}  // namespace relay::admin
