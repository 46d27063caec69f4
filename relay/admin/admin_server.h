// The admin API over HTTP on a Unix socket (mode 0660: its group are the operators). Made and destroyed on
// the loop's thread; answers on threads of its own.
#pragma once

#include <functional>
#include <memory>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "relay/admin/backend.h"
#include "relay/admin/connection_watch.h"
#include "relay/spool/spool.h"

namespace relay::admin {

class AdminServer {
 public:
  // A stale socket file is replaced; kRefused when another process answers on it. `spool` and `backend`
  // outlive this. Whoever asks too slowly is put off, as is the one who asks nothing for longest when all
  // places are taken.
  static conf::Result<std::unique_ptr<AdminServer>> open(
      const conf::AdminSettings& settings, spool::Spool* spool, Backend* backend,
      std::function<void(std::function<void()>)> post_to_loop, ConnectionWatch::Limits limits = {});
  // Ends the requests under way (those that wait for the loop get 503), removes the socket file if it is
  // still ours.
  ~AdminServer();

 private:
  struct State;
  explicit AdminServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace relay::admin
