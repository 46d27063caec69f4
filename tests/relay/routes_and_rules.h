// What most tests of the flow begin with: a route to some hosts, and a rule for all of them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conf/mx_rule.h"
#include "mx/dns/route.h"

namespace relay {

inline mx::RoutePtr route_to(std::vector<mx::RouteHost> hosts) {
  auto route = std::make_shared<mx::Route>();
  route->kind = mx::Route::Kind::kHosts;
  for (const mx::RouteHost& host : hosts) route->site += (route->site.empty() ? "" : ",") + host.name;
  route->hosts = std::move(hosts);
  return route;
}

inline mx::RoutePtr route_to(const std::string& host, const std::string& address = "127.0.0.1") {
  return route_to(std::vector<mx::RouteHost>{{host, 10, 25, {address}}});
}

// Its fields are the caller's to set.
inline conf::MxRule rule_for_test(const std::string& name, const std::string& mx = "*") {
  conf::MxRule rule;
  rule.name = name;
  rule.file = "test";
  rule.line = 1;
  rule.mx.push_back({mx, 1});
  return rule;
}

}  // namespace relay
