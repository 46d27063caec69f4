// The listening sockets of the relay, each known by its place ("address:port"). Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "relay/host/sd_sockets.h"
#include "relay/uv/loop.h"
#include "relay/uv/network.h"

namespace relay {

class Doors {
 public:
  using Come = std::function<void(const std::string& place, Accepted accepted)>;
  // `loop` and `inherited` (sockets that listen already) outlive this.
  Doors(uv::Loop* loop, SdSockets* inherited, Come come)
      : loop_(loop), inherited_(inherited), come_(std::move(come)) {}

  // Opens what `config` has and nobody listens on yet. It counts from adopt() on; on failure nothing of it
  // stays open.
  conf::Status prepare(const conf::Config& config, const std::shared_ptr<tls::Context>& server_tls);
  // What `config` has stays open, with its connections; the rest is closed. `prepare` has been good.
  void adopt(const conf::Config& config, const std::shared_ptr<tls::Context>& server_tls);
  void close() { open_.clear(); }

 private:
  using Open = std::map<std::string, std::unique_ptr<uv::TcpListener>>;

  uv::Loop* loop_;
  SdSockets* inherited_;
  Come come_;
  Open open_, prepared_;
};

}  // namespace relay
