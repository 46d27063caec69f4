// Streams on loopback: bytes both ways, deadlines, peers that do not read, the end of connections.
#include "relay/uv/network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relay/uv/loop_state.h"
#include "tests/relay/uv/stream_rig.h"

namespace relay::uv {
namespace {

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

TEST_F(NetworkTest, APeerThatNeverReadsIsHeardNoMoreAndLeft) {
  listen();
  size_t most = 0;
  client.when_connected = [&, this] { ask_and_never_read(&most); };
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

}  // namespace
}  // namespace relay::uv
