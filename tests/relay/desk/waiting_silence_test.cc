// A receiver that lets a message wait is no reason of another message that it serves.
#include <gtest/gtest.h>

#include "relay/desk/waiting_reason.h"
#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class WaitingSilenceTest : public DispatcherTest {
 protected:
  std::string reason(const queue::Delivery* delivery) {
    return waiting_reason(*delivery, replies_, streams_, dispatcher_.get(), clock_.now()).text;
  }
  void wait(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock_.time += 1s;
      step();
    }
  }

  queue::LastReplies replies_;
  queue::StreamTable streams_{std::make_shared<const conf::Config>()};
};

TEST_F(WaitingSilenceTest, EachMessageIsToldWhatItsOwnConnectionWaitsFor) {
  queue::Delivery* first = add(2);
  open();
  wait(15);
  EXPECT_EQ(reason(first), "no reply to MAIL");
  queue::Delivery* second = add(1);
  step();
  EXPECT_EQ(reason(second), "behind other mail: no reply to MAIL") << "no connection for it is ready";
  ASSERT_EQ(network_.users.size(), 2U);
  greet();
  ASSERT_EQ(second->state, queue::DeliveryState::kSending);
  EXPECT_EQ(reason(second), "") << "it has been sent a moment ago";
  EXPECT_EQ(reason(first), "no reply to MAIL");
  wait(7);
  say("250 ok\r\n");
  say("250 ok\r\n");
  wait(15);  // it is looked at every 5 s
  EXPECT_EQ(reason(first), "no reply to MAIL");
  EXPECT_EQ(reason(second), "no reply to DATA") << "each its own";
  say("354 go\r\n");
  say("250 ok\r\n");
  EXPECT_EQ(reason(first), "no reply to MAIL") << "though the other was served";
  network_.users.front()->on_bytes("451 not now\r\n");
  EXPECT_EQ(reason(first), "") << "its next recipients go over the same connection";
}

}  // namespace
}  // namespace relay
