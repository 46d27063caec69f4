// Both ends of a stream on loopback in one loop, in clear or with TLS: what one says the other hears.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "relay/uv/loop.h"
#include "relay/uv/loop_state.h"
#include "relay/uv/network.h"

namespace relay::uv {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// Hears everything and calls what the test hangs in.
struct Ear final : TransportUser {
  void on_connected() override {
    connected = true;
    if (when_connected) when_connected();
  }
  void on_bytes(std::string_view bytes) override {
    got += bytes;
    if (when_bytes) when_bytes();
  }
  void on_tls(conf::Result<TlsInfo> outcome) override {
    tls_good = outcome.ok();
    if (outcome.ok()) {
      info = *outcome;
    } else {
      tls_error = outcome.error().detail;
    }
    if (when_tls) when_tls();
  }
  void on_drained() override { ++drained; }
  void on_closed(const conf::Error& error) override {
    closed = error.detail;
    if (when_closed) when_closed();
  }
  void on_deadline() override {
    ++deadlines;
    if (when_deadline) when_deadline();
  }
  void say(std::string_view text) {
    OutQueue out;
    out.append(text);
    transport->write(&out);
  }

  std::unique_ptr<Transport> transport;
  std::function<void()> when_connected, when_bytes, when_tls, when_closed, when_deadline;
  bool connected = false, tls_good = false;
  std::string got, closed, tls_error;
  TlsInfo info;
  int drained = 0, deadlines = 0;
};

class NetworkTest : public testing::Test {
 protected:
  void listen(const std::string& address = "127.0.0.1", std::shared_ptr<tls::Context> tls = nullptr) {
    auto opened = TcpListener::open(&loop, {address, 0}, std::move(tls), [this](Accepted accepted) {
      client_address = accepted.client_address;
      server.transport = std::move(accepted.transport);
      if (when_accepted) when_accepted();
      if (server.transport != nullptr) server.transport->set_user(&server);
    });
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    listener = std::move(*opened);
  }
  void connect(const std::string& source = "") {
    client.transport = network().connect({"127.0.0.1", listener->port(), source}, &client);
  }
  TcpNetwork& network() {
    if (network_ == nullptr) network_ = std::make_unique<TcpNetwork>(&loop, client_tls);
    return *network_;
  }
  void run() {
    loop.on_timer([this](conf::Instant) {
      ADD_FAILURE() << "the test takes too long";
      loop.stop();
    });
    loop.set_timer(loop.now() + 10s);
    loop.run();
  }
  // The client asks and never reads; `most`: what the server keeps for it at the most.
  void ask_and_never_read(size_t* most) {
    loop.state()->drain_time = 300ms;
    client.transport->pause_reading();
    client.say(std::string(16'000'000, '?'));
    server.when_bytes = [this, most] {
      server.say(std::string(server.got.size() * 4, '!'));  // four octets for one
      server.got.clear();
      *most = std::max(*most, server.transport->unsent_bytes());
    };
    server.when_closed = [this] { loop.stop(); };
  }

  Loop loop;
  Ear server, client;
  std::shared_ptr<tls::Context> client_tls;
  std::unique_ptr<TcpListener> listener;
  std::function<void()> when_accepted;
  std::string client_address;

 private:
  std::unique_ptr<TcpNetwork> network_;
};

}  // namespace relay::uv
