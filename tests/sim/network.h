// A network in memory: pairs of streams with delays, split bytes, refused and broken connections.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "relay/net/transport.h"
#include "tests/sim/world.h"

namespace sim {

struct Pipe;

// One end of a stream.
class Stream final : public relay::Transport {
 public:
  Stream(World* world, std::shared_ptr<Pipe> pipe, int side, relay::TransportUser* user);
  ~Stream() override;
  void set_user(relay::TransportUser* user) override;
  void write(relay::OutQueue* out) override;
  size_t unsent_bytes() const override { return 0; }
  void start_tls(const TlsRequest& request) override;
  void pause_reading() override;
  void resume_reading() override;
  void set_deadline(conf::Instant when) override;
  void finish() override;
  // Let go when this end is closed.
  void keep_while_open(std::shared_ptr<void> token) { token_ = std::move(token); }

 private:
  World* world_;
  std::shared_ptr<Pipe> pipe_;
  int side_;
  std::shared_ptr<void> token_;
};

class Network final : public relay::Network {
 public:
  // Who listens at an address: gets the server's end. Nobody listens: refused.
  using Listener =
      std::function<void(std::unique_ptr<relay::Transport> server_end, const std::string& source)>;

  explicit Network(World* world) : world_(world) {}
  std::unique_ptr<relay::Transport> connect(const relay::ConnectTarget& target,
                                            relay::TransportUser* user) override;
  void listen(const std::string& address, Listener listener) { listeners_[address] = std::move(listener); }
  // The chances of an outbound connection being refused, never answered, or broken at some moment, and of a
  // handshake that fails.
  double refuse = 0, stall = 0, breaks = 0, tls_fails = 0;
  uint32_t most_at_once() const { return most_; }  // connections to one address, as who opens them counts

 private:
  std::shared_ptr<void> counted(const std::string& address);

  World* world_;
  std::map<std::string, std::weak_ptr<uint32_t>> open_;  // by address
  uint32_t most_ = 0;
  std::map<std::string, Listener> listeners_;
};

// Both ends of a new stream, open at once.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_stream_pair(World* world);

}  // namespace sim
