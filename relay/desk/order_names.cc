#include "relay/desk/order_names.h"

#include <algorithm>

#include "conf/vocab/address.h"
#include "conf/vocab/spelling.h"

namespace relay {

namespace {

std::string perhaps(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = conf::nearest(name, known);
  return near.empty() ? "" : "; did you mean \"" + near + "\"?";
}

template <typename Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const Named& each : all)
    if (!each.name.empty()) names.push_back(each.name);
  return names;
}

}  // namespace

std::string unknown_name(const admin::MxOrder& order, const conf::Config& config,
                         const queue::StreamTable& streams) {
  return order.stream.empty() || streams.names_like(order.stream).empty() ? gone_name(order, config) : "";
}

std::string gone_name(const admin::MxOrder& order, const conf::Config& config) {
  const auto is_of = [&order](const conf::Stream& stream) {
    return queue::takes_stream(order.stream, stream.name);
  };
  if (!order.stream.empty() && std::ranges::none_of(config.streams, is_of))
    return "no [[stream]] is named \"" + order.stream + '"' + perhaps(order.stream, names_of(config.streams));
  const std::vector<std::string> sources = names_of(config.sources);
  if (!order.source.empty() && std::find(sources.begin(), sources.end(), order.source) == sources.end())
    return "no [[source]] is named \"" + order.source + '"' + perhaps(order.source, sources);
  const std::vector<std::string> rules = names_of(config.rules);
  const auto meant = [&order](const std::string& rule) { return conf::domain_matches(order.rule, rule); };
  if (!order.rule.empty() && std::none_of(rules.begin(), rules.end(), meant))
    return "no [[rule]] is named \"" + order.rule + '"' + perhaps(order.rule, rules);
  return "";
}

std::string waits_for_site(const std::string& mask, const std::vector<std::string>& sites) {
  return "No site is known by \"" + mask + "\" at present: the order waits for one" +
         (mask.find_first_of("*?") == std::string::npos ? perhaps(mask, sites) : "");
}

}  // namespace relay
