#include "relay/host/restart_needed.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

conf::Config running() {
  conf::Config config;
  config.hostname = "old.example.com";
  config.spool.path = "/var/spool/penstock";
  config.dns.servers = {"192.0.2.53"};
  return config;
}

TEST(RestartNeeded, NothingThatChangedNeedsNone) {
  conf::Config fresh = running();
  fresh.max_outbound_connections += 1;
  fresh.spool.body_memory_bytes += 1;
  EXPECT_EQ(restart_needed(running(), fresh), "");
  EXPECT_EQ(until_restart(running(), fresh).spool.body_memory_bytes, fresh.spool.body_memory_bytes);
}

TEST(RestartNeeded, WhatWaitsForARestartStaysAsItIsUntilThen) {
  conf::Config fresh = running();
  fresh.hostname = "new.example.com";
  fresh.dns.servers = {"192.0.2.54"};
  fresh.spool.path = "/srv/spool";
  fresh.max_outbound_connections += 1;
  EXPECT_EQ(restart_needed(running(), fresh), "hostname, [spool], [dns]");
  const conf::Config until = until_restart(running(), fresh);
  EXPECT_EQ(until.hostname, "old.example.com") << "greeting, EHLO and reports have one name";
  EXPECT_EQ(until.dns.servers, running().dns.servers);
  EXPECT_EQ(until.spool.path, running().spool.path);
  EXPECT_EQ(until.max_outbound_connections, fresh.max_outbound_connections);
  EXPECT_EQ(restart_needed(until, fresh), "hostname, [spool], [dns]") << "the next reload says it again";
}

TEST(RestartNeeded, WhatIsReadAtTheStartOnlyWaits) {
  conf::Config fresh = running();
  fresh.intake.descriptors_kept = 500;
  fresh.outage_guard.known_addresses += 1;
  EXPECT_EQ(restart_needed(running(), fresh), "[intake] descriptors_kept, [outage_guard] known_addresses");
  EXPECT_EQ(until_restart(running(), fresh).intake.descriptors_kept, 0U);
}

TEST(RestartNeeded, TheNamesByWhichAMailboxIsPolledStay) {
  conf::Config old = running();
  conf::Login login;
  login.name = "box";
  login.user = "anna";
  old.logins.push_back(login);
  old.returns.mailboxes.emplace_back();
  old.returns.mailboxes.back().login = "box";
  conf::Config fresh = old;
  EXPECT_EQ(restart_needed(old, fresh), "");
  fresh.logins.front().user = "bob";
  fresh.tls_ca_file = "/etc/ca.pem";
  EXPECT_EQ(restart_needed(old, fresh),
            "[[login]] of a [[return_mailbox]], [tls] ca_file for [[return_mailbox]]");
}

TEST(RestartNeeded, ADeskForReturnedMailIsOpenedByARestartOnly) {
  conf::Config fresh = running();
  fresh.returns.watch = {"/var/mail/bounces"};
  EXPECT_EQ(restart_needed(running(), fresh), "[returns] watch, [returns]");
  const conf::Config until = until_restart(running(), fresh);
  EXPECT_FALSE(until.returns.wanted());
  EXPECT_EQ(restart_needed(until, fresh), restart_needed(running(), fresh))
      << "the next reload says it again";
  conf::Config feedback = running();
  feedback.returns.feedback = {"fbl@return.example"};
  EXPECT_EQ(restart_needed(until_restart(running(), feedback), feedback), "[returns]");
}

}  // namespace
}  // namespace relay
