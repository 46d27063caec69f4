// What people are told of mail that waits for a login.
#include <gtest/gtest.h>

#include "relay/desk/waiting_reason.h"
#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class WaitingLoginTest : public DispatcherTest {
 protected:
  WaitingLoginTest() {
    config_->logins.resize(1);
    config_->logins[0].name = "main";
    config_->logins[0].user = "u";
    config_->logins[0].without_tls = true;
    config_->defaults.peer.login = "main";
    config_->defaults.smart_hosts = {{"one.test", 587}};
    route_by({{"one.test", 0, 587, {"127.0.0.1"}}});
    add(1);
    step();
    other_.settings = path_->settings;
    other_.counters.standing = path_->counters.standing;
    other_.limits = path_->limits;
  }
  void refuse() {
    network_.users.back()->on_connected();
    say("220 one.test\r\n");
    say("250-one.test\r\n250 AUTH PLAIN\r\n");
    say("535 5.7.8 no\r\n");
    step();
  }
  std::string reason(queue::Path* path) { return waiting_reason(path, dispatcher_.get(), clock_.now()).text; }

  queue::Path other_;  // to another destination that has the same login
};

TEST_F(WaitingLoginTest, BothDestinationsNameTheLoginAndWhatTheServerSaid) {
  refuse();
  EXPECT_EQ(reason(path_), "login \"main\" failed at one.test: 535 5.7.8 no");
  EXPECT_EQ(reason(&other_), reason(path_));
  EXPECT_EQ(waiting_reason(&other_, dispatcher_.get(), clock_.now()).until, clock_.now() + 1min);
}

TEST_F(WaitingLoginTest, WhileOneTriesItTheOtherSaysSo) {
  EXPECT_EQ(reason(&other_), "login \"main\" is being tried by a connection");
}

TEST_F(WaitingLoginTest, ABlockIsSaidBeforeALogin) {
  refuse();
  other_.holds.order_until(clock_.now() + 1h);
  EXPECT_EQ(reason(&other_), "blocked by an operator");
}

}  // namespace
}  // namespace relay
