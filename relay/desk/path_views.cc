#include "relay/desk/path_views.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "conf/vocab/address.h"
#include "relay/desk/path_view.h"

namespace relay {

namespace {

constexpr conf::Duration kPatience = std::chrono::seconds(5);
constexpr conf::Duration kLookAgain = std::chrono::milliseconds(200);

admin::RouteView route_view(const queue::DomainEntry& domain, conf::Instant now) {
  admin::RouteView view;
  view.domain = domain.name.text();
  view.detail = domain.route->detail;
  view.site = domain.route->site;
  view.by = domain.smart_route ? "smart hosts" : "MX";
  view.ttl_seconds = std::max(0.0, std::chrono::duration<double>(domain.route_until - now).count());
  for (const mx::RouteHost& host : domain.route->hosts)
    view.hosts.push_back({host.name, host.preference, host.addresses});
  return view;
}

}  // namespace

void PathViews::explain(const std::string& domain_name, const std::string& source, const std::string& stream,
                        std::function<void(admin::Explanation)> done) {
  conf::Result<conf::Domain> domain = conf::Domain::parse(domain_name);
  if (!domain.ok()) {
    admin::Explanation answer;
    answer.route.domain = domain_name;
    answer.problem = "\"" + domain_name + "\" is no domain: " + domain.error().detail;
    done(std::move(answer));
    return;
  }
  ask({std::move(*domain), source, stream, std::move(done), transit_->clock().now() + kPatience});
}

void PathViews::ask(Question question) {
  const conf::Domain domain = question.domain;
  transit_->routes().ask(domain, [this, question = std::move(question)](queue::DomainEntry* entry) {
    const conf::Instant now = transit_->clock().now();
    if (std::optional<admin::Explanation> told = explanation_of(entry, question, now))
      return question.done(std::move(*told));
    questions_.push_back(question);
    next_look_ = now + kLookAgain;
  });
}

void PathViews::step(conf::Instant now) {
  if (now < next_wake()) return;
  for (Question& question : std::exchange(questions_, {})) ask(std::move(question));
}

std::optional<admin::Explanation> PathViews::explanation_of(queue::DomainEntry* domain,
                                                            const Question& question, conf::Instant now) {
  const std::string& source = question.source;
  const std::string& stream = question.stream;
  admin::Explanation answer;
  answer.route = route_view(*domain, now);
  const std::vector<conf::Source>& sources = transit_->config()->sources;
  const bool known = std::any_of(sources.begin(), sources.end(),
                                 [&](const conf::Source& each) { return each.name == source; });
  answer.unknown_source = !source.empty() && !known;
  if (answer.unknown_source) {
    answer.problem = "no [[source]] is named \"" + source + "\"";
    return answer;
  }
  queue::SiteTable& sites = transit_->sites();
  const uint16_t number = sites.streams().find(stream);
  answer.unknown_source = !stream.empty() && number == queue::StreamTable::kNone;
  if (answer.unknown_source) {
    answer.problem = "no [[stream]] is named \"" + stream + "\"";
    return answer;
  }
  if (domain->route->kind != mx::Route::Kind::kHosts) {
    answer.problem = domain->route->detail;
    return answer;
  }
  const queue::StreamTable::Sources& of_stream = sites.streams().sources_of(number);
  std::vector<queue::Path*> paths;
  for (const conf::Source* each : of_stream) {
    if ((source.empty() || each->name == source) && sites.usable(*domain, *each))
      paths.push_back(sites.path_from(domain, *each));
  }
  const bool waits = std::any_of(paths.begin(), paths.end(),
                                 [&sites](const queue::Path* each) { return sites.awaits_rules(*each); });
  if (waits && now < question.at_last) return std::nullopt;
  Dispatcher& dispatcher = transit_->dispatcher();
  const auto in_flight = dispatcher.in_flight_by_path();
  for (queue::Path* path : paths) {
    const auto count = in_flight.find(path);
    answer.paths.push_back(
        view_of(path, count == in_flight.end() ? 0 : count->second, &dispatcher, history_, now));
  }
  for (const queue::PathChoice::Share& share : transit_->choice().shares(domain, number))
    answer.sources.push_back(view_of(share, sites.find(*domain, *share.source), now));
  if (answer.paths.empty() && answer.problem.empty())
    answer.problem =
        std::string(of_stream.size() == sources.size() ? "no [[source]]" : "no source of the stream") +
        " may send to this domain (masks, weight, or no address of its family)";
  return answer;
}

}  // namespace relay
