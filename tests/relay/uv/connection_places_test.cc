// The places that connections take: until a stream is really closed, and within what descriptors there are.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/uv/loop_state.h"
#include "tests/relay/uv/stream_rig.h"

namespace relay::uv {
namespace {

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

TEST_F(NetworkTest, TwoListenersOnOnePlace) {
  listen();
  const auto second = TcpListener::open(&loop, {"127.0.0.1", listener->port()}, nullptr, [](Accepted) {});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().detail.find("another program listens there"), std::string::npos)
      << second.error().detail;
}

}  // namespace
}  // namespace relay::uv
