#include "relay/admin/mx_json.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "conf/vocab/address.h"
#include "relay/admin/census_json.h"
#include "relay/admin/limit_text.h"
#include "relay/admin/mx_order.h"
#include "relay/admin/queue_json.h"

namespace relay::admin {
namespace {

using nlohmann::json;

json seconds_json(double seconds) { return seconds < 0 ? json(nullptr) : json(seconds); }

json limits_json(const std::vector<LimitView>& limits) {
  json list = json::array();
  for (const LimitView& limit : limits)
    list.push_back({{"key", limit.key}, {"value", limit.value}, {"where", limit.where}});
  return list;
}

json traffic_json(const std::vector<TrafficView>& scopes) {
  json list = json::array();
  for (const TrafficView& traffic : scopes) {
    json one = {{"address", traffic.address},
                {"connections", traffic.connections},
                {"window", traffic.window},
                {"used_in_hour", traffic.used_in_hour},
                {"used_in_slice", traffic.used_in_slice}};
    if (traffic.slice_limit != 0) one["slice_limit"] = traffic.slice_limit;
    if (traffic.slowed_seconds > 0) one["slowed_seconds"] = traffic.slowed_seconds;
    list.push_back(std::move(one));
  }
  return list;
}

json thresholds_json(const std::vector<ThresholdView>& thresholds) {
  json list = json::array();
  for (const ThresholdView& threshold : thresholds) {
    list.push_back({{"error_rate", threshold.error_rate},
                    {"min_messages", threshold.min_messages},
                    {"window_seconds", threshold.window_seconds},
                    {"block_seconds", threshold.block_seconds},
                    {"messages", threshold.messages},
                    {"errors", threshold.errors},
                    {"tripped", threshold.tripped},
                    {"since_block", threshold.since_block},
                    {"where", threshold.where}});
  }
  return list;
}

json flow_json(const PathView& path) {
  json out = {{"delivered", path.last_minute.delivered},
              {"deferred", path.last_minute.deferred},
              {"refused", path.last_minute.refused}};
  if (path.allowed.by != mx::Bind::kNothing) {
    out["allowed"] = path.allowed.per_minute;
    out["allowed_by"] = mx::to_text(path.allowed.by);
    out["allowed_to"] = to_text(path.allowed.scope);
  }
  return out;
}

std::string binds_text(mx::Bind binds, const std::string& why) {
  if (!why.empty()) return why;
  return binds == mx::Bind::kNothing ? "" : mx::to_text(binds);
}

json decision_json(const DecisionView& view, const PathView& path) {
  json out = {{"time", time_text(view.time)}};
  if (view.decision == nullptr) return out;
  const conf::SiteDecision& decision = *view.decision;
  out["action"] = to_text(decision.action);
  out["by"] = decision.by;
  out["text"] = decision.text;
  if (!decision.where.empty()) out["where"] = decision.where;
  if (decision.messages != 0) {
    out["messages"] = decision.messages;
    out["errors"] = decision.errors;
    out["share"] = decision.share;
  }
  if (conf::unix_micros(decision.until) != 0) out["until"] = time_text(decision.until);
  if (decision.rate_per_hour != 0) out["rate_per_hour"] = decision.rate_per_hour;
  if (decision.rate_per_day != 0) out["rate_per_day"] = decision.rate_per_day;
  if (!decision.samples.empty()) out["samples"] = decision.samples;
  // Of another path that is counted together with this one.
  if (!decision.site.empty() && decision.site != path.site) out["site"] = decision.site;
  if (!decision.source.empty() && decision.source != path.source) out["source"] = decision.source;
  return out;
}

json route_json(const RouteView& route) {
  json hosts = json::array();
  for (const RouteView::Host& host : route.hosts)
    hosts.push_back({{"name", host.name}, {"preference", host.preference}, {"addresses", host.addresses}});
  return {{"domain", route.domain},
          {"site", route.site},
          {"by", route.by},
          {"detail", route.detail},
          {"ttl_seconds", route.ttl_seconds},
          {"hosts", std::move(hosts)}};
}

}  // namespace

json path_json(const PathView& path) {
  json decisions = json::array();
  for (const DecisionView& decision : path.decisions) decisions.push_back(decision_json(decision, path));
  json out = {{"site", path.site},
              {"source", path.source},
              {"source_id", path.source_id},
              {"rule", path.rule},
              {"rule_where", path.rule_where},
              {"scope", path.scope ? to_text(*path.scope) : ""},
              {"one_site", path.one_site},
              {"limits", limits_json(path.limits)},
              {"messages_per_hour", path.messages_per_hour},
              {"traffic", traffic_json(path.traffic)},
              {"thresholds", thresholds_json(path.thresholds)},
              {"state", mx::to_text(path.state)},
              {"adaptive", path.adaptive ? to_text(*path.adaptive) : ""},
              {"learned_per_hour", path.learned_per_hour},
              {"ready", path.ready},
              {"in_flight", path.in_flight},
              {"connections", path.connections},
              {"binds", binds_text(path.binds, path.why)},
              {"last_error", path.last_error},
              {"replies", path.replies},
              {"decisions", std::move(decisions)}};
  if (path.scope) out["last_minute"] = flow_json(path);
  if (path.state == mx::Standing::State::kBlocked)
    out["blocked_seconds"] = seconds_json(path.blocked_seconds);
  if (path.binds != mx::Bind::kNothing) out["frees_seconds"] = seconds_json(path.frees_seconds);
  if (path.opening) out["opening"] = true;
  const bool disk = path.binds == mx::Bind::kRecording || path.binds == mx::Bind::kLease;
  if (disk && path.why.empty()) out["disk"] = true;
  if (disk && !path.why.empty()) out["opening"] = true;  // it ends by itself
  if (path.ladder_per_day != 0) {
    out["ladder"] = {
        {"per_day", path.ladder_per_day}, {"step", path.ladder_step}, {"used", path.ladder_used}};
  }
  return out;
}

json sources_json(const std::vector<SourceView>& sources) {
  json list = json::array();
  for (const SourceView& source : sources) {
    json one = {{"name", source.name}, {"weight", source.weight}, {"share", source.share}};
    if (!source.never.empty()) one["never"] = source.never;
    if (source.binds != mx::Bind::kNothing) {
      one["binds"] = binds_text(source.binds, source.why);
      one["frees_seconds"] = seconds_json(source.frees_seconds);
    }
    list.push_back(std::move(one));
  }
  return list;
}

json order_json(const OrderView& view) {
  json out = {{"what", target_text(view.order)},
              {"seconds", view.seconds ? json(*view.seconds) : json(nullptr)},
              {"who", view.order.who},
              {"why", view.order.why}};
  if (!view.problem.empty()) out["problem"] = view.problem;
  return out;
}

json explanation_json(const Explanation& explanation) {
  json paths = json::array();
  for (const PathView& path : explanation.paths) paths.push_back(path_json(path));
  json out = {{"route", route_json(explanation.route)},
              {"paths", std::move(paths)},
              {"sources", sources_json(explanation.sources)},
              {"waiting", waiting_json(explanation.waiting)},
              {"problem", explanation.problem}};
  if (!explanation.stream_orders.empty()) out["stream_orders"] = orders_json(explanation.stream_orders);
  if (explanation.stream_order) out["stream_order"] = order_json(*explanation.stream_order);
  return out;
}

json limiter_json(const LimiterCounts& counts) {
  return {{"blocked", counts.blocked},
          {"probing", counts.probing},
          {"ramp", counts.ramp},
          {"blocked_deliveries", counts.blocked_deliveries}};
}

json orders_json(const std::vector<OrderView>& orders) {
  json list = json::array();
  for (const OrderView& view : orders) list.push_back(order_json(view));
  return list;
}

json paused_json(const std::vector<std::string>& streams, const std::vector<OrderView>& orders) {
  std::map<std::string, uint64_t> messages_of;
  for (const std::string& stream : streams)
    if (!stream.empty()) ++messages_of[stream];
  json list = json::array();
  for (const auto& [stream, messages] : messages_of) {
    const OrderView* latest = nullptr;
    for (const OrderView& each : orders) {
      if (each.order.stream.empty() || !conf::domain_matches(each.order.stream, stream)) continue;
      const bool later =
          latest == nullptr || !each.seconds || (latest->seconds && *latest->seconds < *each.seconds);
      if (later) latest = &each;
    }
    if (latest == nullptr) continue;  // it has ended meanwhile
    json order = order_json(*latest);
    order["stream"] = latest->order.stream;
    list.push_back({{"stream", stream}, {"messages", messages}, {"order", std::move(order)}});
  }
  return list;
}

json order_done_json(const MxOrderDone& done) {
  json out = {{"paths", done.paths},
              {"names", done.names},
              {"superseded", done.superseded},
              {"together", done.together},
              {"names_together", done.names_together},
              {"automatic", done.automatic},
              {"probing", done.probing},
              {"lifted", done.lifted},
              {"held", done.held},
              {"also_later", done.also_later},
              {"notice", done.notice}};
  if (!done.streams.empty()) {
    out["streams"] = done.streams;
    out["messages"] = done.messages;
  }
  return out;
}

}  // namespace relay::admin
