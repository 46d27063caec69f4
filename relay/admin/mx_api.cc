#include "relay/admin/mx_api.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "conf/vocab/address.h"
#include "conf/vocab/spelling.h"
#include "relay/admin/census_json.h"
#include "relay/admin/mx_json.h"
#include "relay/admin/mx_order.h"
#include "relay/admin/queue_filter.h"

namespace relay::admin {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kDnsLimit(25);  // [dns] timeout times its tries: 20 s by default
constexpr size_t kDefaultPaths = 50;
constexpr size_t kMaxPaths = 1000;  // of one answer

std::optional<MxAction> mx_action_of(const std::string& path) {
  if (path == "/v1/mx/block") return MxAction::kBlock;
  if (path == "/v1/mx/unblock") return MxAction::kUnblock;
  if (path == "/v1/mx/reset") return MxAction::kReset;
  return std::nullopt;
}

bool is_meant(const MxOrder& target, const PathView& path) {
  if (!target.source.empty() && path.source != target.source) return false;
  if (!target.rule.empty()) return conf::domain_matches(target.rule, path.rule);
  return target.site.empty() || site_matches(target.site, path.site);
}

// What the body says of who gives an order never stands alone: "anna as root (uid 0)".
std::string giver(const std::string& says, const std::string& is) {
  if (is.empty() || says.empty() || is.starts_with(says + ' ')) return is.empty() ? says : is;
  return says + " as " + is;
}

// `paths`: those that are known, with the names that may have been meant.
Response nothing_meant(const MxOrder& target, const std::vector<PathView>& paths = {}) {
  std::string advice = "only paths with mail, connections or a block are known; see `penstock mx status`";
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const PathView& path : paths) names.push_back(target.rule.empty() ? path.site : path.rule);
  const std::string near = conf::nearest(target.rule.empty() ? target.site : target.rule, names);
  if (!near.empty()) advice += "; did you mean \"" + near + "\"?";
  if (!target.domain.empty()) advice = "`penstock explain " + target.domain + "` shows its route";
  return refuse(404, "nothing to act on for " + target_text(target) + ": " + advice);
}

// Each order is lifted by its own target: whoever lifts what he thinks is all hears of those.
std::string other_orders(const std::vector<OrderView>& orders) {
  constexpr size_t kNamed = 10;
  std::string text;
  for (size_t i = 0; i < std::min(orders.size(), kNamed); ++i)
    text += (i == 0 ? "" : ", ") + target_text(orders[i].order);
  if (orders.size() > kNamed) text += " and " + std::to_string(orders.size() - kNamed) + " more";
  return "no path is held, and no order has this target; in force, each lifted by its own: " + text;
}

}  // namespace

bool MxApi::serves(const std::string& path) {
  return path == "/v1/explain" || path == "/v1/mx" || path == "/v1/mx/show" || mx_action_of(path);
}

Response MxApi::handle(const Request& request) {
  const std::optional<MxAction> action = mx_action_of(request.path);
  if (action) {
    return request.method == "POST" ? order(*action, request) : refuse(405, "use POST for " + request.path);
  }
  if (request.method != "GET") return refuse(405, "use GET for " + request.path);
  if (request.path == "/v1/explain") return explain(request);
  return request.path == "/v1/mx" ? status(request) : show(request);
}

// Also refuses a source or a stream that does not exist.
conf::Result<Explanation> MxApi::ask_about(const std::string& domain, const std::string& source,
                                           const std::string& stream) {
  conf::Result<Explanation> told =
      loop_->ask<Explanation>([backend = backend_, domain, source, stream](
                                  auto done) { backend->explain(domain, source, stream, std::move(done)); },
                              kDnsLimit);
  if (told.ok() && told->unknown_source) return conf::Error{conf::ErrorCode::kNotFound, told->problem};
  if (!told.ok() && told.error().code == conf::ErrorCode::kTimeout) {
    return conf::Error{conf::ErrorCode::kTimeout, "no route for " + domain + " within " +
                                                      std::to_string(kDnsLimit.count()) +
                                                      " s: DNS does not answer, or the mail loop does not"};
  }
  return told;
}

Response MxApi::explain(const Request& request) {
  MxOrder target;
  std::string stream, address;
  for (const auto& [key, value] : request.query) {
    if (key == "stream") {
      stream = value;
      continue;
    }
    if (key != "address" && key != "source")
      return refuse(400, key + ": no such parameter; there are address, source, stream");
    if (key == "address") address = value;
    const conf::Status set = set_target(key == "address" ? "domain" : key, value, &target);
    if (!set.ok()) return refuse(set.error());
  }
  if (target.domain.empty()) return refuse(400, "address: give an address or a recipient domain");
  conf::Result<Explanation> told = ask_about(target.domain, target.source, stream);
  if (!told.ok()) return refuse(told.error());
  json out = explanation_json(*told);
  if (address.find('@') != std::string::npos) {
    conf::Result<std::string> barred =
        loop_->ask<std::string>([backend = backend_, address](auto done) { done(backend->barred(address)); });
    if (!barred.ok()) return refuse(barred.error());
    if (!barred->empty()) out["barred"] = {{"address", address}, {"why", *barred}};
  }
  return answer(out);
}

conf::Result<std::vector<PathView>> MxApi::busiest_paths(size_t limit) {
  return loop_->ask<std::vector<PathView>>(
      [backend = backend_, limit](auto done) { backend->paths(limit, std::move(done)); });
}

Response MxApi::status(const Request& request) {
  size_t limit = kDefaultPaths;
  for (const auto& [key, value] : request.query) {
    if (key != "limit") return refuse(400, key + ": no such parameter; there is limit");
  }
  if (const conf::Status read = read_limit(request, kMaxPaths, &limit); !read.ok())
    return refuse(read.error());
  struct Told {
    LimiterCounts limiter;
    std::vector<OrderView> orders;
  };
  conf::Result<Told> told = loop_->ask<Told>([backend = backend_](auto done) {
    done({backend->summary().limiter, backend->orders()});
  });
  if (!told.ok()) return refuse(told.error());
  const conf::Result<std::vector<PathView>> paths = busiest_paths(limit + 1);
  if (!paths.ok()) return refuse(paths.error());
  const conf::Result<std::shared_ptr<const Census>> census = loop_->ask<std::shared_ptr<const Census>>(
      [backend = backend_](auto done) { backend->census("", std::move(done)); });
  if (!census.ok()) return refuse(census.error());
  json rows = json::array();
  for (const PathView& path : paths.value()) {
    if (rows.size() < limit) rows.push_back(path_json(path));
  }
  return answer({{"limiter", limiter_json(told->limiter)},
                 {"paths", std::move(rows)},
                 {"orders", orders_json(told->orders)},
                 {"waiting", waiting_json(groups_of(*census.value(), WaitingBy::kSite, limit))},
                 {"more", paths.value().size() > limit}});
}

Response MxApi::show(const Request& request) {
  MxOrder target;
  for (const auto& [key, value] : request.query) {
    if (const conf::Status set = set_target(key, value, &target); !set.ok()) return refuse(set.error());
  }
  if (const conf::Status one = check_target(target); !one.ok()) return refuse(one.error());
  if (!target.stream.empty())
    return refuse(400, "stream: a stream has no path of its own; /v1/explain has \"stream\"");
  json rows = json::array();
  if (!target.domain.empty()) {
    conf::Result<Explanation> told = ask_about(target.domain, target.source);
    if (!told.ok()) return refuse(told.error());
    if (told->paths.empty()) return refuse(404, told->problem);
    for (const PathView& path : told->paths) rows.push_back(path_json(path));
  } else {
    const conf::Result<std::vector<PathView>> all = busiest_paths(kMaxPaths);
    if (!all.ok()) return refuse(all.error());
    for (const PathView& path : all.value()) {
      if (is_meant(target, path)) rows.push_back(path_json(path));
    }
    if (rows.empty()) return nothing_meant(target, all.value());
  }
  return answer({{"paths", std::move(rows)}});
}

Response MxApi::order(MxAction action, const Request& request) {
  conf::Result<MxOrder> order = parse_mx_order(action, request.body);
  if (!order.ok()) return refuse(order.error());
  order->who = giver(order->who, request.who);
  std::string problem;           // why there is no path
  if (!order->domain.empty()) {  // routes it, so that a domain without mail can be blocked before a mailing
    conf::Result<Explanation> told = ask_about(order->domain, order->source);
    if (!told.ok()) return refuse(told.error());
    problem = told->problem;
    // Where there is a route there may be a path later; an order to lift may be about one that was there.
    if (action == MxAction::kBlock && told->paths.empty() &&
        (told->unknown_source || told->route.hosts.empty()))
      return refuse(404, problem);
  }
  conf::Result<MxOrderDone> done = loop_->ask<MxOrderDone>(
      [backend = backend_, order = order.value()](auto heard) { backend->order(order, std::move(heard)); });
  if (!done.ok()) return refuse(done.error());
  if (!done->problem.empty()) return refuse(404, done->problem);
  if (done->paths == 0 && done->superseded == 0 && done->automatic == 0 && done->probing == 0 &&
      done->held == 0 && !done->lifted && !done->also_later) {
    const conf::Result<std::vector<OrderView>> orders =
        loop_->ask<std::vector<OrderView>>([backend = backend_](auto told) { told(backend->orders()); });
    if (!orders.ok()) return refuse(orders.error());
    if (order->all && !orders.value().empty()) return refuse(404, other_orders(orders.value()));
    return problem.empty() ? nothing_meant(order.value()) : refuse(404, problem);
  }
  Response told = answer(order_done_json(*done));
  told.only_asked = order->dry_run;
  return told;
}

}  // namespace relay::admin
