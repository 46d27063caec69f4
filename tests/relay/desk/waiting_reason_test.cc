// Why mail waits: of several reasons the one that says most, in words that stay the same while it holds.
#include "relay/desk/waiting_reason.h"

#include "mx/limits/admission.h"
#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class WaitingReasonTest : public PathTest {
 protected:
  WaitingReasonTest() {
    path_.counters.standing = std::make_shared<mx::Standing>(*path_.limits);
    path_.ready.push_back(&delivery_);
    delivery_.path = &path_;
    delivery_.state = queue::DeliveryState::kReady;
  }
  ~WaitingReasonTest() override { path_.ready.pop_front(); }
  Reason of_path() { return waiting_reason(&path_, nullptr, clock_.now()); }
  Reason of_delivery() { return waiting_reason(delivery_, replies_, streams_, nullptr, clock_.now()); }

  queue::Delivery delivery_;
  queue::LastReplies replies_;
  queue::StreamTable streams_{std::make_shared<const conf::Config>()};
};

TEST_F(WaitingReasonTest, WhatNothingKeepsBackWaitsForItsTurn) {
  EXPECT_EQ(of_path().text, "");
  EXPECT_EQ(of_delivery().text, "waits for its turn");
}

TEST_F(WaitingReasonTest, APathThatFailsSaysHowAndForHowLong) {
  path_.health.put_off_until(clock_.now() + 90s);
  EXPECT_EQ(of_path().text, mx::to_text(mx::Bind::kBackOff));
  path_.health.note(error("refused"));
  EXPECT_EQ(of_delivery().text, "no connection: refused");
  EXPECT_EQ(of_delivery().until, clock_.now() + 90s);
  clock_.time += 90s;
  EXPECT_EQ(of_path().text, "");
}

TEST_F(WaitingReasonTest, ALoginThatFailedIsNoMatterOfTheConnection) {
  path_.health.put_off_until(clock_.now() + 90s);
  auto settings = std::make_shared<conf::DestinationSettings>();
  settings->peer.login = "main";
  path_.settings = settings;
  queue::PathError failed = error("5.7.8 bad credentials");
  failed.mx_host = "smart.test";
  const auto told = [&](uint16_t code, bounce::Stage stage) {
    failed.reply.code = code;
    failed.stage = stage;
    path_.health.note(failed);
    return of_path().text;
  };
  EXPECT_EQ(told(535, bounce::Stage::kLogin),
            "login \"main\" failed at smart.test: 535 5.7.8 bad credentials");
  EXPECT_EQ(told(535, bounce::Stage::kGreeting), "refused at the greeting: 535 5.7.8 bad credentials");
  EXPECT_EQ(told(535, bounce::Stage::kTls), "no TLS: 535 5.7.8 bad credentials");
  EXPECT_EQ(told(0, bounce::Stage::kGreeting), "no connection: 5.7.8 bad credentials");
}

TEST_F(WaitingReasonTest, APathThatIsBeingTriedSaysSoAndWhatTheLastTryBrought) {
  path_.connections.begins(clock_.now());
  EXPECT_EQ(of_path().text, "") << "most are open in a moment";
  clock_.time += 3s;
  EXPECT_EQ(of_path().text, "a connection is being opened");
  path_.connections.ends(false);
  path_.connections.begins(clock_.now());
  path_.health.fail(1min, 0s, clock_.now());
  path_.health.note(error("connecting took too long"));
  EXPECT_EQ(of_path().text, "a connection is being opened; the last one: connecting took too long");
  EXPECT_EQ(being_tried(path_, 20s),
            "a connection is being opened since 20 s; the last one: connecting took too long");
  path_.connections.begins(clock_.now());
  path_.connections.gets_ready(clock_.now());
  EXPECT_EQ(of_path().text, "") << "another one is open";
}

TEST_F(WaitingReasonTest, APauseSaysMoreThanABackOffAndABlockMoreThanBoth) {
  path_.health.put_off_until(clock_.now() + 1h);
  path_.holds.pause_until(clock_.now() + 1h, "paused by reply rule \"busy\"");
  EXPECT_EQ(of_path().text, "paused by reply rule \"busy\"");
  path_.counters.standing->block_by_rule(clock_.now() + 1h, "test", clock_.now());
  EXPECT_EQ(of_path().text, "blocked after refusals");
  path_.holds.order_until(clock_.now() + 2h);
  EXPECT_EQ(of_path().text, "blocked by an operator");
  EXPECT_EQ(of_path().until, clock_.now() + 2h);
  path_.holds.order_until(clock_.now() + 1min);
  EXPECT_EQ(of_path().text, "blocked after refusals") << "the later end holds";
  EXPECT_EQ(of_path().until, clock_.now() + 1h);
}

TEST_F(WaitingReasonTest, ALimitIsNamedOnlyWhileMailWaits) {
  path_.waits.set(mx::Admission::no(mx::Bind::kRate, clock_.now() + 10s));
  EXPECT_EQ(of_path().text, mx::to_text(mx::Bind::kRate));
  EXPECT_EQ(of_path().until, clock_.now() + 10s);
  path_.ready.pop_front();
  EXPECT_EQ(of_path().text, "");
  path_.ready.push_back(&delivery_);
}

TEST_F(WaitingReasonTest, ScheduledMailSaysWhatItsLastAttemptBrought) {
  delivery_.state = queue::DeliveryState::kScheduled;
  delivery_.due = clock_.now() + 5min;
  EXPECT_EQ(of_delivery().text, "its next attempt is not due yet");
  delivery_.last_reply = replies_.number_of(451, "4.7.1", "4.7.1 not now");
  EXPECT_EQ(of_delivery().text.rfind("deferred: ", 0), 0U) << of_delivery().text;
  EXPECT_NE(of_delivery().text.find("not now"), std::string::npos);
  EXPECT_EQ(of_delivery().until, delivery_.due);
}

TEST_F(WaitingReasonTest, TheTimeThatIsLeftIsSaidOnlyWhereItIsKnownAndNotOver) {
  const conf::Instant now = clock_.now();
  EXPECT_EQ(in_words({"blocked", conf::kNever}, now), "blocked");
  EXPECT_EQ(in_words({"blocked", now}, now), "blocked");
  EXPECT_EQ(in_words({"blocked", now + 60s}, now).rfind("blocked, for another 1 min", 0), 0U);
}

TEST_F(WaitingReasonTest, WhatAReceiverIsSilentToLeads) {
  const auto connection = connection_to({"mx.test", "192.0.2.1", 25, 0, {}});
  const auto other = connection_to({"mx.test", "192.0.2.1", 25, 0, {}});
  path_.connections.is_silent({connection.get(), bounce::Stage::kDot, clock_.now()});
  EXPECT_EQ(of_path().text, "no reply to the message");
  EXPECT_EQ(of_delivery().text, "behind other mail: no reply to the message");
  clock_.time += 1s;
  path_.connections.answers(other.get(), clock_.now());
  EXPECT_EQ(of_path().text, "") << "others are served";
}

}  // namespace
}  // namespace relay
