// One socket of the generator with its Client and, if asked for, TLS. Edge-triggered: what the kernel did not
// take is written when it says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/client.h"
#include "bench/net/socket.h"
#include "conf/vocab/result.h"
#include "relay/tls/session.h"

namespace bench::load {

class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;

  // Begins to connect; the socket is watched by `epoll` under `tag`. `tls` is null without TLS.
  conf::Status open(const SocketAddress& address, int epoll, uint32_t tag, const LoadOptions& options,
                    const Content& content, Supply* supply, std::shared_ptr<relay::tls::Context> tls);
  bool is_open() const { return fd_ >= 0; }
  bool is_up() const { return up_; }
  // What epoll has told. An error, in words for people, when the connection is of no more use.
  conf::Status handle(uint32_t events, std::vector<char>* buffer);
  conf::Status flush();
  void close();
  Client* client() { return client_.get(); }

  bool listed_idle = false;  // for the worker's list of idle sessions
  int64_t again_us = 0;      // when to connect, while it is not open

 private:
  conf::Status take(std::string_view bytes);
  conf::Status start_tls();
  conf::Status write_plain();
  conf::Status write_tls();

  int fd_ = -1;
  bool up_ = false;
  const LoadOptions* options_ = nullptr;
  std::unique_ptr<Client> client_;
  std::shared_ptr<relay::tls::Context> context_;
  std::unique_ptr<relay::tls::Session> tls_;
  std::string plain_;
};

int64_t read_clock();  // monotonic, microseconds

}  // namespace bench::load
