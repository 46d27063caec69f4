#include "relay/returns/sent_keeper.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/temporary_folder.h"

namespace relay::returns {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class StillClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return conf::Instant(1h); }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s); }
};

class SentKeeperTest : public testing::Test {
 protected:
  SentKeeperTest() { settings_.path = folder_ / "returns"; }
  std::unique_ptr<SentKeeper> open() {
    auto keeper =
        SentKeeper::open({settings(), &clock_, [](const std::string& line) { ADD_FAILURE() << line; }});
    EXPECT_TRUE(keeper.ok());
    return std::move(*keeper);
  }
  conf::DeliveryEvent delivered(conf::MessageId id, const char* from = "news@shop.test") {
    conf::DeliveryEvent event;
    event.kind = conf::EventKind::kDelivered;
    event.time = clock_.wall();
    event.id = id << 20 | static_cast<uint64_t>(conf::unix_micros(clock_.wall()) / 1000) << 20;
    event.reverse_path = from;
    event.recipient = "ann@far.test";
    event.stream = "newsletter";
    event.auth = "tenant";
    return event;
  }
  conf::ConfigPtr settings() const {
    auto config = std::make_shared<conf::Config>();
    config->returns = settings_;
    config->quarantine = quarantine_;
    return config;
  }
  bool knows(SentKeeper* keeper, const conf::DeliveryEvent& event) const {
    return keeper->find(event.id, "ann@far.test").has_value();
  }

  StillClock clock_;
  TemporaryFolder folder_;
  conf::ReturnsSettings settings_;
  conf::QuarantineSettings quarantine_;
};

TEST_F(SentKeeperTest, IsAskedRightAfterTheEventAndRemembersOverARestart) {
  const conf::DeliveryEvent event = delivered(0);
  {
    const auto keeper = open();
    keeper->take(1, event);
    EXPECT_EQ(keeper->through(), 1U);
    EXPECT_TRUE(knows(keeper.get(), event));
    EXPECT_TRUE(keeper->latest_to("ANN@far.test", clock_.wall() - 1h).has_value());
  }
  EXPECT_TRUE(knows(open().get(), event));
}

// The token says of it the message and the recipient, and nothing else.
TEST_F(SentKeeperTest, RemembersTheStreamAndTheUser) {
  const auto keeper = open();
  const conf::DeliveryEvent event = delivered(1);
  keeper->take(1, event);
  ASSERT_TRUE(knows(keeper.get(), event));
  EXPECT_EQ(keeper->find(event.id, "ann@far.test")->stream, "newsletter");
  EXPECT_EQ(keeper->find(event.id, "ann@far.test")->user, "tenant");
}

TEST_F(SentKeeperTest, RemembersWhatLeftWithATokenToo) {
  conf::ReturnPathSettings path;
  path.domain = "return.test";
  settings_.paths.push_back(path);
  const auto keeper = open();
  const conf::DeliveryEvent event = delivered(3);
  keeper->take(1, event);
  ASSERT_TRUE(knows(keeper.get(), event));
  EXPECT_TRUE(keeper->find(event.id, "ann@far.test")->with_token);
  ASSERT_TRUE(keeper->of_message(event.id).has_value());
  EXPECT_EQ(keeper->of_message(event.id)->recipient, "ann@far.test");
  EXPECT_FALSE(keeper->of_message(event.id + 1).has_value());
}

TEST_F(SentKeeperTest, RemembersDeliveriesAndByChoiceThoseWithATokenAlone) {
  conf::ReturnPathSettings path;
  path.senders = {"signed.test"};
  path.domain = "return.test";
  settings_.paths.push_back(path);
  const auto keeper = open();
  conf::DeliveryEvent deferred = delivered(1);
  deferred.kind = conf::EventKind::kDeferred;
  const conf::DeliveryEvent report = delivered(2, ""), with_token = delivered(3, "a@signed.test");
  settings_.unsigned_reports = conf::UnsignedReports::kOff;
  keeper->reload(settings());
  for (const auto& event : {deferred, report, with_token}) {
    keeper->take(1, event);
    EXPECT_FALSE(knows(keeper.get(), event));
  }
  settings_.remember_signed = true;
  keeper->reload(settings());
  keeper->take(2, with_token);
  ASSERT_TRUE(knows(keeper.get(), with_token));
  EXPECT_TRUE(keeper->find(with_token.id, "ann@far.test")->with_token);
  const conf::DeliveryEvent other = delivered(4);
  keeper->take(3, other);
  EXPECT_FALSE(knows(keeper.get(), other));
}

// The token does not say whose it is.
TEST_F(SentKeeperTest, RemembersWhateverWasSentWhileListsAreOfSendersOrUsers) {
  conf::ReturnPathSettings path;
  path.domain = "return.test";
  settings_.paths.push_back(path);
  settings_.unsigned_reports = conf::UnsignedReports::kOff;
  quarantine_.enabled = true;
  const auto keeper = open();
  keeper->take(1, delivered(1));
  EXPECT_FALSE(knows(keeper.get(), delivered(1)));
  conf::MessageId id = 2;
  for (const auto lists : {conf::QuarantineLists::kSenderDomain, conf::QuarantineLists::kUser}) {
    quarantine_.lists = lists;
    keeper->reload(settings());
    keeper->take(id, delivered(id));
    EXPECT_TRUE(knows(keeper.get(), delivered(id)));
    ++id;
  }
  const auto another = open();
  another->take(id, delivered(id));
  EXPECT_TRUE(knows(another.get(), delivered(id)));
  quarantine_.enabled = false;
  keeper->reload(settings());
  ++id;
  keeper->take(id, delivered(id));
  EXPECT_FALSE(knows(keeper.get(), delivered(id)));
}

// Their reports count by what was sent, whatever reports without a token may do.
TEST_F(SentKeeperTest, AlwaysRemembersWhatLeftWithTheTokenOfADomain) {
  conf::ReturnPathSettings path;
  path.domain = "return.test";
  path.verp = conf::VerpGrade::kDomain;
  settings_.paths.push_back(path);
  settings_.unsigned_reports = conf::UnsignedReports::kOff;
  const auto keeper = open();
  const conf::DeliveryEvent event = delivered(1);
  keeper->take(1, event);
  ASSERT_TRUE(knows(keeper.get(), event));
  EXPECT_TRUE(keeper->find(event.id, "ann@far.test")->with_token);
}

}  // namespace
}  // namespace relay::returns
