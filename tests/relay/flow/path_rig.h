// One path and what its parts of the flow go by, without network, limits or walk.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/flow/flow_state.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path.h"
#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {

class PathTest : public testing::Test {
 protected:
  PathTest() {
    config_->sources.resize(1);
    path_.site = &site_;
    path_.source.name = "one";
    path_.settings = settings_;
    path_.limits = std::make_shared<mx::PathLimits>();
    route_by({{"mx.test", 10, 25, {"192.0.2.1"}}});
  }
  void route_by(std::vector<mx::RouteHost> hosts) {
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->hosts = std::move(hosts);
    path_.route = route;
  }
  // A connection of the path to the target; it is never started.
  std::unique_ptr<OutboundConnection> connection_to(Target target, conf::Login login = {}) {
    OutboundConnection::Plan plan;
    plan.targets = {std::move(target)};
    plan.login = std::move(login);
    return std::make_unique<OutboundConnection>(std::move(plan), &path_, nullptr, nullptr, &clock_, nullptr);
  }
  static queue::PathError error(const std::string& text) {
    queue::PathError error;
    error.reply = bounce::Reply::make(0, text);
    return error;
  }

  ManualClock clock_;
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  std::shared_ptr<conf::DestinationSettings> settings_ = std::make_shared<conf::DestinationSettings>();
  FlowState flow_{config_, &clock_};
  conf::Random random_{1};
  queue::Site site_;
  queue::Path path_;
};

}  // namespace relay
