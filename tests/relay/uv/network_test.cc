// Real streams on loopback: bytes, TLS, deadlines, the end of connections.
#include "relay/uv/network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relay/tls/session.h"
#include "relay/uv/loop.h"
#include "relay/uv/loop_state.h"

namespace relay::uv {
namespace {

using namespace std::chrono_literals;

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

  Loop loop;
  Ear server, client;
  std::shared_ptr<tls::Context> client_tls;
  std::unique_ptr<TcpListener> listener;
  std::function<void()> when_accepted;
  std::string client_address;

 private:
  std::unique_ptr<TcpNetwork> network_;
};

TEST_F(NetworkTest, BytesBothWaysAndTheEnd) {
  listen();
  client.when_connected = [this] { client.say("hello"); };
  server.when_bytes = [this] {
    if (server.got != "hello") return;
    server.say("bye");
    server.transport->finish();
  };
  client.when_closed = [this] { loop.stop(); };
  connect("127.0.0.3");
  run();
  EXPECT_EQ(client_address, "127.0.0.3");
  EXPECT_EQ(client.got, "bye");
  EXPECT_EQ(client.closed, "the peer closed the connection");
  EXPECT_GT(client.drained, 0);
}

// FIN would come behind all that the kernel holds, and until then the peer counts the connection.
TEST_F(NetworkTest, AnOutboundStreamThatIsDroppedWithUnsentBytesIsReset) {
  const int door = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  ASSERT_EQ(::bind(door, reinterpret_cast<sockaddr*>(&place), size), 0);
  ASSERT_EQ(::listen(door, 1), 0);
  ASSERT_EQ(::getsockname(door, reinterpret_cast<sockaddr*>(&place), &size), 0);
  client.when_connected = [this] {
    client.say(std::string(20'000'000, 'x'));
    client.transport->set_deadline(loop.now() + 50ms);
  };
  client.when_deadline = [this] {
    ASSERT_GT(client.transport->unsent_bytes(), 0U);
    client.transport.reset();
    loop.stop();
  };
  client.transport = network().connect({"127.0.0.1", ntohs(place.sin_port), ""}, &client);
  run();
  const int peer = ::accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(peer, 0);
  std::string piece(1 << 20, '\0');
  ssize_t got = 1;
  while (got > 0) got = ::recv(peer, piece.data(), piece.size(), 0);
  EXPECT_EQ(got, -1);
  EXPECT_EQ(errno, ECONNRESET);
  ::close(peer);
  ::close(door);
}

TEST_F(NetworkTest, AFinishedStreamIsHeldUntilThePeerClosesIt) {
  listen();
  bool gone = false, early = true;
  client.when_connected = [&, this] {
    client.transport->hold(std::shared_ptr<const void>(nullptr, [&](const void*) {
      gone = true;
      loop.stop();
    }));
    client.say("QUIT");
    client.transport->finish();
    client.transport.reset();
    early = gone;
  };
  server.when_closed = [&, this] {
    early |= gone;
    server.transport->finish();
    server.transport.reset();
  };
  connect();
  run();
  EXPECT_TRUE(gone);
  EXPECT_FALSE(early);
}

TEST_F(NetworkTest, ALotOfBytesWhileTheReaderPauses) {
  listen();
  const std::string much(20'000'000, 'x');
  client.when_connected = [this, &much] {
    OutQueue out;
    const conf::Bytes shared(much);
    out.append_shared(shared, 0, shared.size());
    client.transport->write(&out);
    EXPECT_TRUE(out.empty());
    EXPECT_GT(client.transport->unsent_bytes(), 0U);
    client.say("end");
  };
  bool paused = false;
  server.when_bytes = [&, this] {
    if (!paused) {
      paused = true;
      server.transport->pause_reading();
      server.transport->set_deadline(loop.now() + 50ms);
    }
    if (server.got.size() == much.size() + 3) loop.stop();
  };
  server.when_deadline = [this] { server.transport->resume_reading(); };
  connect();
  run();
  EXPECT_EQ(server.got.substr(much.size()), "end");
}

// A peer that asks and never reads: what we keep for it is bounded, and it is let go.
void ask_and_never_read(Ear* server, Ear* client, Loop* loop, size_t* most) {
  loop->state()->drain_time = 300ms;
  const std::string questions(16'000'000, '?');
  auto ask = [client, questions] { client->say(questions); };
  client->transport->pause_reading();
  ask();
  server->when_bytes = [server, most] {
    server->say(std::string(server->got.size() * 4, '!'));  // four octets for one
    server->got.clear();
    *most = std::max(*most, server->transport->unsent_bytes());
  };
  server->when_closed = [loop] { loop->stop(); };
}

TEST_F(NetworkTest, APeerThatNeverReadsIsHeardNoMoreAndLeft) {
  listen();
  size_t most = 0;
  client.when_connected = [&, this] { ask_and_never_read(&server, &client, &loop, &most); };
  connect();
  run();
  EXPECT_EQ(server.closed, "the peer does not read what it is sent");
  EXPECT_GT(most, 0U);
  EXPECT_LT(most, 256U * 1024);  // the bound, and the answer to one read
}

TEST_F(NetworkTest, APeerThatReadsLateIsHeardAgain) {
  listen();
  constexpr size_t kQuestions = 8'000'000;
  size_t heard = 0;
  client.when_connected = [this] {
    client.transport->pause_reading();
    client.say(std::string(kQuestions, '?'));
    client.transport->set_deadline(loop.now() + 100ms);
  };
  client.when_deadline = [this] { client.transport->resume_reading(); };
  server.when_bytes = [&, this] {
    heard += server.got.size();
    server.say(server.got);
    server.got.clear();
  };
  client.when_bytes = [&, this] {
    if (client.got.size() == kQuestions) loop.stop();
  };
  connect();
  run();
  EXPECT_EQ(heard, kQuestions);
  EXPECT_EQ(client.got.size(), kQuestions);
}

// Whoever has been told all and stays holds a descriptor: its place is taken as long, and no longer.
TEST_F(NetworkTest, APlaceIsTakenUntilTheStreamIsReallyClosed) {
  loop.state()->finish_time = 1h;
  listen();
  std::weak_ptr<const int> place;
  bool held_when_finished = false;
  server.when_bytes = [&, this] {
    auto taken = std::make_shared<const int>(1);
    place = taken;
    server.transport->hold(std::move(taken));
    server.say("bye");
    server.transport->finish();
    server.transport.reset();
  };
  client.when_connected = [this] { client.say("QUIT"); };
  const std::function<void()> until_free = [&, this] {
    if (!place.expired()) return loop.post(until_free);
    loop.stop();
  };
  client.when_closed = [&, this] {  // the peer's FIN has come, and ours has not gone out
    held_when_finished = !place.expired();
    client.transport.reset();
    loop.post(until_free);
  };
  connect();
  run();
  EXPECT_TRUE(held_when_finished);
  EXPECT_TRUE(place.expired());
}

TEST_F(NetworkTest, WhoWasToldAllMakesRoomForHisNextConnection) {
  loop.state()->finish_time = 1h;
  std::vector<std::weak_ptr<const int>> places;
  std::vector<bool> free_at_accept;
  std::function<void(bool)> close_finished;
  std::function<void()> next;
  auto opened = TcpListener::open(&loop, {"127.0.0.1", 0}, nullptr, [&](Accepted accepted) {
    close_finished = accepted.close_finished;
    close_finished(false);  // of this client
    for (const auto& each : places) free_at_accept.push_back(each.expired());
    auto place = std::make_shared<const int>(1);
    places.push_back(place);
    accepted.transport->hold(std::move(place));
    accepted.transport->finish();
    loop.post(next);
  });
  ASSERT_TRUE(opened.ok());
  std::vector<std::unique_ptr<Ear>> clients;
  next = [&, this] {
    if (clients.size() == 3) return loop.stop();
    const std::string source = clients.size() < 2 ? "127.0.0.7" : "127.0.0.8";
    clients.push_back(std::make_unique<Ear>());
    Ear* ear = clients.back().get();
    ear->transport = network().connect({"127.0.0.1", (*opened)->port(), source}, ear);
  };
  loop.post(next);
  run();
  ASSERT_EQ(places.size(), 3U);
  // The second of 127.0.0.7 closed the first; that of 127.0.0.8 closed nobody's.
  EXPECT_EQ(free_at_accept, (std::vector<bool>{true, true, false}));
  close_finished(true);
  EXPECT_TRUE(places[1].expired());
  EXPECT_TRUE(places[2].expired());
}

// However much the kernel holds for us: the others are read from in between.
TEST_F(NetworkTest, AFastPeerIsReadFromOneBufferInARound) {
  listen();
  constexpr size_t kOctets = 4'000'000;
  size_t heard = 0, in_round = 0, most = 0;
  client.when_connected = [this] {
    server.transport->pause_reading();
    client.say(std::string(kOctets, '!'));
    client.transport->set_deadline(loop.now() + 100ms);
  };
  client.when_deadline = [this] { server.transport->resume_reading(); };
  server.when_bytes = [&, this] {
    in_round += server.got.size() - std::exchange(heard, server.got.size());
    most = std::max(most, in_round);
    if (server.got.size() == kOctets) loop.stop();
  };
  loop.on_round([&] { in_round = 0; });
  connect();
  run();
  EXPECT_EQ(server.got.size(), kOctets);
  EXPECT_LE(most, loop.state()->read_buffer.size());
}

TEST_F(NetworkTest, HalfOfTheDescriptorsAreNotForConnectionsToReceivers) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit small{100, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
  const size_t most = TcpNetwork(&loop, nullptr).most_connections();
  setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(most, 50U);
}

// The lowest descriptor that is free says how many are in use.
TEST_F(NetworkTest, WithFewDescriptorsLeftClientsWaitAndAreServedLater) {
  listen();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit small{64, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
  loop.keep_descriptors(16);
  std::vector<std::unique_ptr<Transport>> accepted;
  auto opened = TcpListener::open(&loop, {"127.0.0.1", 0}, nullptr,
                                  [&](Accepted each) { accepted.push_back(std::move(each.transport)); });
  ASSERT_TRUE(opened.ok());
  std::vector<int> clients;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons((*opened)->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto more = [&] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    clients.push_back(fd);
  };
  for (int i = 0; i < 20; ++i) more();
  size_t when_short = 0;
  client.when_connected = [this] { client.transport->set_deadline(loop.now() + 300ms); };
  client.when_deadline = [&, this] {
    if (client.deadlines == 1) {
      when_short = accepted.size();
      const int next = dup(0);
      EXPECT_GE(next, 45) << "a client took what was kept";
      EXPECT_LT(next, 60);
      ::close(next);
      for (size_t i = 0; i < 10; ++i) ::close(clients[i]);
      accepted.erase(accepted.begin(),
                     accepted.begin() + static_cast<ptrdiff_t>(std::min<size_t>(when_short, 10)));
      client.transport->set_deadline(loop.now() + 400ms);
    } else {
      loop.stop();
    }
  };
  connect();
  run();
  EXPECT_GT(when_short, 0U);
  EXPECT_LT(when_short, 20U);
  EXPECT_EQ(accepted.size() + std::min<size_t>(when_short, 10), 20U) << "those that waited were served";
  for (size_t i = 10; i < clients.size(); ++i) ::close(clients[i]);
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(NetworkTest, Refused) {
  listen();
  const uint16_t port = listener->port();
  listener.reset();
  client.when_closed = [this] { loop.stop(); };
  client.transport = network().connect({"127.0.0.1", port, ""}, &client);
  run();
  EXPECT_FALSE(client.connected);
  EXPECT_EQ(client.closed, "connection refused");
}

TEST_F(NetworkTest, BadAddressesAreToldLaterNeverInside) {
  client.when_closed = [this] { loop.stop(); };
  client.transport = network().connect({"not an address", 25, ""}, &client);
  EXPECT_EQ(client.closed, "");
  run();
  EXPECT_NE(client.closed, "");
}

TEST_F(NetworkTest, AUserMayDestroyItsTransportInAnyCallback) {
  listen();
  client.when_connected = [this] { client.say("x"); };
  server.when_bytes = [this] { server.transport.reset(); };
  client.when_closed = [this] {
    client.transport.reset();
    loop.stop();
  };
  connect();
  run();
  EXPECT_EQ(network().open_streams(), 0U);
}

TEST_F(NetworkTest, DeadlinesMoveAndClear) {
  listen();
  client.when_connected = [this] {
    client.transport->set_deadline(loop.now() + 20ms);
    client.transport->set_deadline(loop.now() + 60ms);
  };
  client.when_deadline = [this] {
    if (client.deadlines == 1) {
      client.transport->set_deadline(loop.now() + 1ms);
      client.transport->set_deadline(conf::kNever);
      server.transport->set_deadline(loop.now() + 50ms);
    }
  };
  server.when_deadline = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_EQ(client.deadlines, 1);
}

TEST_F(NetworkTest, PostFromOtherThreadsInOrder) {
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.stop();
  });
  run();
  other.join();
  ASSERT_EQ(seen.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST_F(NetworkTest, TwoListenersOnOnePlace) {
  listen();
  const auto second = TcpListener::open(&loop, {"127.0.0.1", listener->port()}, nullptr, [](Accepted) {});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().detail.find("another program listens there"), std::string::npos)
      << second.error().detail;
}

class TlsTest : public NetworkTest {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("penstock-tls-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    certificate_ = folder_ / "cert.pem";
    key_ = folder_ / "key.pem";
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mx.test "
        "-addext subjectAltName=DNS:mx.test,IP:127.0.0.1 -keyout " +
        key_ + " -out " + certificate_ + " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << "openssl is needed for this test";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::shared_ptr<tls::Context> server_context() {
    auto context = tls::Context::server(certificate_, key_, nullptr);
    EXPECT_TRUE(context.ok()) << context.error().detail;
    return *context;
  }
  void use_client(const std::string& ca_file) { client_tls = *tls::Context::client(ca_file); }
  // A handshake with the given name, then one word each way.
  void shake_hands(const std::string& name, bool verify) {
    server = Ear();
    client = Ear();
    when_accepted = [this] { server.transport->start_tls({}); };
    client.when_connected = [this, name, verify] {
      client.transport->start_tls({name, verify, "key " + name});
    };
    client.when_tls = [this] { client.tls_good ? client.say("secret") : loop.stop(); };
    server.when_bytes = [this] { server.say("answer"); };
    client.when_bytes = [this] {
      client.transport->finish();
      loop.stop();
    };
    connect();
    run();
  }
  std::filesystem::path folder_;
  std::string certificate_, key_;
};

TEST_F(TlsTest, VerifiedAndResumed) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  shake_hands("mx.test", true);
  EXPECT_TRUE(client.tls_good) << client.tls_error;
  EXPECT_TRUE(client.info.verified);
  EXPECT_FALSE(client.info.resumed);
  EXPECT_EQ(client.info.version, "TLSv1.3");
  EXPECT_EQ(client.got, "answer");
  EXPECT_EQ(server.got, "secret");
  shake_hands("mx.test", true);
  EXPECT_TRUE(client.info.resumed);
}

TEST_F(TlsTest, WrongNameAndUnknownIssuerAreRefusedWhenVerified) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  shake_hands("other.test", true);
  EXPECT_FALSE(client.tls_good);
  EXPECT_NE(client.tls_error.find("certificate verify failed"), std::string::npos) << client.tls_error;
  shake_hands("other.test", false);  // opportunistic: nobody asks
  EXPECT_TRUE(client.tls_good);
  EXPECT_FALSE(client.info.verified);
}

TEST_F(TlsTest, APeerThatDoesNotSpeakTls) {
  listen();
  use_client("");
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  server.when_bytes = [this] {
    server.say("500 what?\r\n");
    server.when_bytes = nullptr;
  };
  client.when_tls = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_FALSE(client.tls_good);
  EXPECT_NE(client.tls_error, "");
}

TEST_F(TlsTest, APeerThatNeverReadsIsHeardNoMoreAndLeft) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  size_t most = 0;
  when_accepted = [this] { server.transport->start_tls({}); };
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  client.when_tls = [&, this] { ask_and_never_read(&server, &client, &loop, &most); };
  connect();
  run();
  EXPECT_EQ(server.closed, "the peer does not read what it is sent");
  EXPECT_LT(most, 256U * 1024);
}

// What this process has from malloc (0 where a sanitizer took its place).
size_t octets_in_use() {
  const struct mallinfo2 use = mallinfo2();
  return use.uordblks + use.hblkhd;
}

// Encrypted at once it would be a copy of the message for each receiver that does not read.
TEST_F(TlsTest, ALongMessageWaitsInClearForAPeerThatDoesNotRead) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  const conf::Bytes body(std::string(12'000'000, 'x'));
  size_t unsent = 0, grown = 0;
  when_accepted = [this] { server.transport->start_tls({}); };
  server.when_tls = [this] { server.transport->pause_reading(); };
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  client.when_tls = [&, this] {
    const size_t had = octets_in_use();
    OutQueue out;
    out.append_shared(body, 0, body.size());
    client.transport->write(&out);
    client.say("end");
    unsent = client.transport->unsent_bytes();
    grown = octets_in_use() - had;
    client.transport->set_deadline(loop.now() + 50ms);
  };
  client.when_deadline = [this] { server.transport->resume_reading(); };
  server.when_bytes = [&, this] {
    if (server.got.size() == body.size() + 3) loop.stop();
  };
  connect();
  run();
  EXPECT_GT(unsent, body.size() - (1U << 20)) << "one turn of the loop was used for one peer";
  EXPECT_LT(grown, 2U << 20);
  EXPECT_EQ(server.got.substr(body.size()), "end");
  EXPECT_GT(client.drained, 0);
}

// finish() comes while most of it is not yet encrypted; close_notify has to come after it.
TEST_F(TlsTest, WhatWaitsInClearStillGoesOutBeforeTheEnd) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  const std::string much(4'000'000, 'x');
  loop.state()->finish_time = 1h;
  when_accepted = [this] { server.transport->start_tls({}); };
  server.when_tls = [&, this] {
    server.say(much);
    EXPECT_GT(server.transport->unsent_bytes(), 1'000'000U);
    server.transport->finish();
    server.transport.reset();
  };
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  client.when_closed = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_EQ(client.got.size(), much.size());
  EXPECT_EQ(client.closed, "the peer closed the connection");
}

// Without it the peer could not tell our end from that of whoever cut the connection (RFC 8446 section 6.1).
TEST_F(TlsTest, TheEndIsSaidInTlsBeforeItIsSaidInTcp) {
  listen("127.0.0.1", server_context());
  const auto peer = tls::Session::connect(*tls::Context::client(""), {"mx.test", false, ""});
  const auto answer = [&] {
    client.say(peer->pending());
    peer->consume(peer->pending().size());
  };
  std::string plain;
  when_accepted = [this] { server.transport->start_tls({}); };
  server.when_tls = [this] {
    server.say("bye");
    server.transport->finish();
    server.transport.reset();
  };
  client.when_connected = [&] {
    ASSERT_TRUE(peer->receive({}, &plain).ok());
    answer();
  };
  client.when_bytes = [&] {
    ASSERT_TRUE(peer->receive(std::exchange(client.got, {}), &plain).ok());
    answer();
  };
  client.when_closed = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_EQ(plain, "bye");
  EXPECT_TRUE(peer->peer_closed());
}

// One step a round: the others wait for their turns, and all get through, those with long messages too.
TEST_F(TlsTest, HandshakesBeyondTheWorkOfARoundWaitForTheirTurns) {
  loop.state()->round_work = 1;
  use_client(certificate_);
  constexpr size_t kClients = 8, kOctets = 300'000;
  std::vector<std::unique_ptr<Ear>> servers, clients;
  size_t most_waiting = 0, whole = 0;
  loop.on_round([&, this] { most_waiting = std::max(most_waiting, loop.state()->turns.size()); });
  auto opened = TcpListener::open(&loop, {"127.0.0.1", 0}, server_context(), [&, this](Accepted accepted) {
    Ear* ear = servers.emplace_back(std::make_unique<Ear>()).get();
    ear->transport = std::move(accepted.transport);
    ear->transport->set_user(ear);
    ear->transport->start_tls({});
    ear->when_bytes = [&, ear, this] {
      if (ear->got.size() == kOctets && ++whole == kClients) loop.stop();
    };
  });
  ASSERT_TRUE(opened.ok());
  loop.post([&, this] {
    for (size_t i = 0; i < kClients; ++i) {
      Ear* ear = clients.emplace_back(std::make_unique<Ear>()).get();
      ear->when_connected = [ear] { ear->transport->start_tls({"mx.test", false, ""}); };
      ear->when_tls = [ear] { ear->say(std::string(kOctets, 'x')); };
      ear->transport = network().connect({"127.0.0.1", (*opened)->port(), ""}, ear);
    }
  });
  run();
  EXPECT_EQ(whole, kClients);
  EXPECT_GT(most_waiting, 0U);
  for (const auto& ear : clients) EXPECT_TRUE(ear->tls_good) << ear->tls_error;
}

// Who waits for a turn may go at any time.
TEST_F(TlsTest, AStreamThatIsDroppedWhileItWaitsLosesItsTurn) {
  loop.state()->round_work = 1;
  use_client(certificate_);
  listen("127.0.0.1", server_context());
  std::vector<std::unique_ptr<Ear>> clients;
  size_t connected = 0;
  for (size_t i = 0; i < 4; ++i) {
    Ear* ear = clients.emplace_back(std::make_unique<Ear>()).get();
    ear->when_connected = [&, ear, this] {
      ear->transport->start_tls({"mx.test", false, ""});
      if (++connected % 2 == 0) ear->transport->finish();
      ear->transport.reset();
      if (connected == 4) loop.stop();
    };
    ear->transport = network().connect({"127.0.0.1", listener->port(), ""}, ear);
  }
  run();
  EXPECT_TRUE(loop.state()->turns.empty());
}

TEST_F(TlsTest, BadFilesAreNamed) {
  EXPECT_NE(tls::Context::server("/nonexistent.pem", key_, nullptr).error().detail.find("/nonexistent.pem"),
            std::string::npos);
  EXPECT_NE(tls::Context::server(key_, key_, nullptr).error().detail.find("is not a PEM certificate chain"),
            std::string::npos);
  EXPECT_NE(tls::Context::server(certificate_, certificate_, nullptr)
                .error()
                .detail.find("is not a PEM private key"),
            std::string::npos);
  EXPECT_FALSE(tls::Context::client("/nonexistent.pem").ok());
}

}  // namespace
}  // namespace relay::uv
