// TCP and TLS streams over libuv: relay::Network for the daemon, and the listeners.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "conf/vocab/result.h"
#include "relay/net/transport.h"
#include "relay/tls/context.h"
#include "relay/uv/loop.h"

namespace relay::uv {

class TcpNetwork final : public Network {
 public:
  // `client_tls` may be null: then start_tls() fails. Shared, so that a reload may replace it for new
  // streams.
  TcpNetwork(Loop* loop, std::shared_ptr<tls::Context> client_tls);
  ~TcpNetwork() override;
  std::unique_ptr<Transport> connect(const ConnectTarget& target, TransportUser* user) override;
  // Half of the descriptors that the process may have: else deliveries to hosts that say nothing leave none
  // for clients, the disk and the operator.
  size_t most_connections() const override { return most_connections_; }
  void set_client_tls(std::shared_ptr<tls::Context> client_tls);
  uint64_t open_streams() const;  // outbound, finishing ones too

 private:
  Loop* loop_;
  std::shared_ptr<tls::Context> client_tls_;
  size_t most_connections_ = SIZE_MAX;
};

// Accepts on one address. SO_REUSEADDR, backlog 1024, IPV6_V6ONLY for IPv6 addresses, TCP_NODELAY on streams.
class TcpListener {
 public:
  using OnAccept = std::function<void(Accepted accepted)>;
  struct Place {
    std::string address;
    uint16_t port = 0;
    int descriptor = -1;  // of a socket that listens there already, which is ours from now on; -1: bind one
  };
  // kIo with "cannot listen on 127.0.0.1:25: permission denied (ports below 1024 need root, a socket of
  // systemd or CAP_NET_BIND_SERVICE)".
  static conf::Result<std::unique_ptr<TcpListener>> open(Loop* loop, const Place& place,
                                                         std::shared_ptr<tls::Context> server_tls,
                                                         OnAccept on_accept);
  ~TcpListener();                                                 // stops listening
  uint16_t port() const;                                          // the real one when 0 was asked
  void set_server_tls(std::shared_ptr<tls::Context> server_tls);  // for streams accepted from now on
  // Out of descriptors: the client's connection is closed (libuv's own way), said once a minute on stderr.

  struct State;

 private:
  explicit TcpListener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace relay::uv
