// Sites and paths. A site is a set of MX hosts under one set of settings; a path is a site reached from one
// of our source addresses. Limits and back-offs belong to paths, for that is what a receiving server sees of
// us. Plain data: SiteTable makes them, the Dispatcher works with them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bounce/qualifier.h"
#include "conf/config.h"
#include "mx/route.h"
#include "relay/queue/delivery.h"

namespace relay {
class OutboundConnection;
}

namespace relay::queue {

// Why a path does not lead anywhere at present.
struct PathError {
  bounce::Stage stage = bounce::Stage::kConnect;
  bounce::Reply reply;  // code 0: no reply; its text says what happened
  std::string mx_host;
  std::string mx_address;
  bool present() const { return !reply.lines.empty(); }
};

struct Site;

struct Path {
  Site* site = nullptr;
  conf::Source source;
  DeliveryList ready;
  uint32_t connections = 0;  // open and opening
  uint32_t opening = 0;      // of these, those that never were ready
  std::vector<OutboundConnection*> idle;
  conf::Instant backoff_until{};  // no new connection before
  conf::Duration backoff{0};      // above 0: the path fails, and this is its present back-off
  conf::Instant failing_since{};  // connections opened before this add nothing to the back-off
  PathError last_error;
  conf::Instant wake = conf::kNever;  // where it stands in the dispatcher's alarm list
  bool dirty = false;                 // in the dispatcher's work list
  bool starved = false;               // waits for max_outbound_connections
};

struct Site {
  std::string key;    // hosts and destination
  std::string label;  // hosts, for people and the log
  std::string destination;
  conf::ConfigPtr config;  // keeps `settings` alive
  const conf::DestinationSettings* settings = nullptr;
  mx::RoutePtr route;                                  // the latest
  std::map<std::string, std::unique_ptr<Path>> paths;  // by the name of the source
  std::map<std::string, conf::Instant> failing_hosts;  // address -> not first choice before then
};

}  // namespace relay::queue
