// Who may still connect: places are counted until their streams are closed.
#include "relay/intake/places.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "relay/intake/reception.h"
#include "tests/relay/net/quiet_transport.h"

namespace relay {
namespace {

conf::Listener listener_for(uint32_t all, uint32_t of_client) {
  conf::Listener listener;
  listener.name = "in";
  listener.max_connections = all;
  listener.max_connections_per_client = of_client;
  return listener;
}

TEST(Places, AreCountedByListenerAndByClientUntilTheyAreGivenBack) {
  Places places;
  const conf::Listener listener = listener_for(3, 2);
  std::shared_ptr<const void> first = places.take("in", "a"), second = places.take("in", "a");
  EXPECT_EQ(places.full(listener, "a"), Places::Full::kOfClient);
  EXPECT_EQ(places.full(listener, "b"), Places::Full::kNo);
  const std::shared_ptr<const void> other = places.take("elsewhere", "b");
  EXPECT_EQ(places.full(listener, "b"), Places::Full::kNo) << "each listener has its own";
  std::shared_ptr<const void> third = places.take("in", "b");
  EXPECT_EQ(places.full(listener, "b"), Places::Full::kOfListener);
  first.reset();
  EXPECT_EQ(places.full(listener, "a"), Places::Full::kNo);
  second.reset();
  third.reset();
  EXPECT_EQ(places.taken("in"), 0U);
}

TEST(Places, MayBeGivenBackAfterTheEnd) {
  std::shared_ptr<const void> place;
  {
    Places places;
    place = places.take("in", "a");
  }
  place.reset();
}

struct Street {
  std::vector<std::shared_ptr<const void>> open;  // what streams hold that nobody has closed
  TransportUser* last = nullptr;
  std::string said;
};

// A stream whose peer stays when the session is over.
struct Staying final : QuietTransport {
  explicit Staying(Street* s) : street(s) {}
  void set_user(TransportUser* user) override { street->last = user; }
  void hear(const std::string& bytes) override { street->said += bytes; }
  void hold(std::shared_ptr<const void> place) override { street->open.push_back(std::move(place)); }
  Street* street;
};

TEST(Reception, AClientWhoseSessionsAreOverButOpenIsFullAndMakesRoom) {
  auto config = std::make_shared<conf::Config>();
  config->listeners.push_back(listener_for(10, 2));
  const conf::SystemClock clock;
  Reception reception(config, nullptr, &clock, nullptr, nullptr);
  Street street;
  auto come_and_quit = [&](bool can_make_room) {
    street.said.clear();
    street.last = nullptr;
    Accepted accepted;
    accepted.transport = std::make_unique<Staying>(&street);
    accepted.client_address = "192.0.2.1";
    if (can_make_room) {
      accepted.close_finished = [&](bool of_all) {
        EXPECT_FALSE(of_all);
        street.open.clear();
      };
    }
    reception.accept("in", false, std::move(accepted));
    if (street.last != nullptr) street.last->on_bytes("QUIT\r\n");
  };
  come_and_quit(false);
  come_and_quit(false);
  EXPECT_EQ(reception.connections(), 0U);
  EXPECT_EQ(street.open.size(), 2U);
  come_and_quit(false);
  EXPECT_EQ(street.said.substr(0, 4), "421 ") << street.said;
  EXPECT_EQ(street.open.size(), 2U) << "a third descriptor is held";
  come_and_quit(true);
  EXPECT_EQ(street.said.substr(0, 4), "220 ") << street.said;
  EXPECT_EQ(street.open.size(), 1U);
}

}  // namespace
}  // namespace relay
