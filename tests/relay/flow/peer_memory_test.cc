#include "relay/flow/peer_memory.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

smtp::Lessons refused(smtp::Extension extension) {
  smtp::Lessons lessons;
  lessons.refused.add(extension);
  return lessons;
}

TEST(PeerMemory, JoinsWhatIsLearntAndForgetsItInTime) {
  PeerMemory memory(1h, 10);
  const conf::Instant now{100s};
  EXPECT_TRUE(memory.learn("192.0.2.1", 25, refused(smtp::Extension::kChunking), now));
  smtp::Lessons count;
  count.messages_per_connection = 5;
  EXPECT_TRUE(memory.learn("192.0.2.1", 25, count, now + 30min));
  EXPECT_FALSE(memory.learn("192.0.2.1", 25, count, now + 80min));  // nothing new: its time goes on
  const smtp::Lessons known = memory.about("192.0.2.1", 25, now + 89min);
  EXPECT_TRUE(known.refused.has(smtp::Extension::kChunking));
  EXPECT_EQ(known.messages_per_connection, 5u);
  EXPECT_FALSE(memory.about("192.0.2.1", 26, now).any());
  EXPECT_FALSE(memory.about("192.0.2.1", 25, now + 91min).any());
}

TEST(PeerMemory, JoinsTheWaysToLogInThatAreRefused) {
  PeerMemory memory(1h, 10);
  const conf::Instant now{100s};
  smtp::Lessons plain, xoauth2;
  plain.refused_auth.add(smtp::AuthMechanism::kPlain);
  xoauth2.refused_auth.add(smtp::AuthMechanism::kXoauth2);
  EXPECT_TRUE(memory.learn("192.0.2.1", 587, plain, now));
  EXPECT_TRUE(memory.learn("192.0.2.1", 587, xoauth2, now));
  EXPECT_FALSE(memory.learn("192.0.2.1", 587, plain, now));
  const smtp::AuthSet known = memory.about("192.0.2.1", 587, now + 59min).refused_auth;
  EXPECT_TRUE(known.has(smtp::AuthMechanism::kPlain) && known.has(smtp::AuthMechanism::kXoauth2));
  EXPECT_FALSE(known.has(smtp::AuthMechanism::kLogin));
  EXPECT_TRUE(memory.about("192.0.2.1", 587, now + 61min).refused_auth.empty());
}

TEST(PeerMemory, TlsThatFailedIsForgottenSoonerThanTheRest) {
  PeerMemory memory;
  const conf::Instant now{100s};
  smtp::Lessons both = refused(smtp::Extension::kStartTls);
  both.refused.add(smtp::Extension::kDsn);
  EXPECT_TRUE(memory.learn("192.0.2.1", 25, both, now));
  EXPECT_EQ(memory.about("192.0.2.1", 25, now + 9min).refused, both.refused);
  EXPECT_FALSE(memory.learn("192.0.2.1", 25, both, now + 9min)) << "its time is not made longer";
  EXPECT_EQ(memory.about("192.0.2.1", 25, now + 11min).refused, refused(smtp::Extension::kDsn).refused);
  EXPECT_TRUE(memory.learn("192.0.2.1", 25, both, now + 11min));
  EXPECT_TRUE(memory.about("192.0.2.1", 25, now + 70min).refused.empty());
}

TEST(PeerMemory, IsBounded) {
  PeerMemory memory(1h, 10);
  for (uint16_t port = 1; port <= 100; ++port)
    memory.learn("192.0.2.1", port, refused(smtp::Extension::kSize), conf::Instant{});
  EXPECT_EQ(memory.size(), 10u);
  EXPECT_TRUE(memory.about("192.0.2.1", 100, conf::Instant{}).any());
}

}  // namespace
}  // namespace relay
