// The part of the admin API that tells why mail waits and takes orders about it: /v1/explain, /v1/mx.
// Threads: as AdminApi.
#pragma once

#include <string>

#include "relay/admin/backend.h"
#include "relay/admin/exchange.h"
#include "relay/admin/loop_call.h"

namespace relay::admin {

class MxApi {
 public:
  MxApi(Backend* backend, LoopCall* loop) : backend_(backend), loop_(loop) {}  // both outlive this

  static bool serves(const std::string& path);
  Response handle(const Request& request);

 private:
  conf::Result<Explanation> ask_about(const std::string& domain, const std::string& source,
                                      const std::string& stream = "");
  conf::Result<std::vector<PathView>> busiest_paths(size_t limit);
  Response explain(const Request& request);
  Response status(const Request& request);
  Response show(const Request& request);
  Response order(MxAction action, const Request& request);

  Backend* backend_;
  LoopCall* loop_;
};

}  // namespace relay::admin
