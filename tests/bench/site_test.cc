#include "bench/personality/site.h"

#include <gtest/gtest.h>

#include "bench/personality/id_count.h"

namespace bench {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Instant kStart{conf::Duration(0)};

uint64_t broken(const Site& site, Limit limit) { return site.tally().broken[static_cast<size_t>(limit)]; }
uint64_t all_broken(const Site& site) {
  uint64_t sum = 0;
  for (const uint64_t count : site.tally().broken) sum += count;
  return sum;
}

TEST(Site, OneConnectionTooManyIsCountedOnce) {
  Group group;
  group.max_connections = 3;
  Site site(group, 1, kStart);
  std::vector<Visit> visits(4);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(site.arrive(&visits[i], "127.0.0.1", kStart).kind, Verdict::Kind::kGoOn);
  EXPECT_EQ(all_broken(site), 0U);
  Visit elsewhere;
  EXPECT_EQ(site.arrive(&elsewhere, "127.0.0.2", kStart).kind, Verdict::Kind::kGoOn);
  const Verdict verdict = site.arrive(&visits[3], "127.0.0.1", kStart);
  EXPECT_EQ(verdict.reply, "421 4.7.0 Too many connections from 127.0.0.1");
  EXPECT_TRUE(verdict.closes());
  EXPECT_EQ(broken(site, Limit::kConnections), 1U);
  EXPECT_EQ(all_broken(site), 1U);
  site.leave(&visits[3]);
  site.leave(&visits[0]);
  EXPECT_EQ(site.arrive(&visits[0], "127.0.0.1", kStart).kind, Verdict::Kind::kGoOn);
}

TEST(Site, OneNewConnectionTooManyInTheWindowIsCountedOnce) {
  Group group;
  group.max_new_connections = 2;
  group.window = 10s;
  Site site(group, 1, kStart);
  for (int i = 0; i < 3; ++i) {
    Visit visit;
    site.arrive(&visit, "127.0.0.1", kStart + i * 1s);
    site.leave(&visit);
  }
  EXPECT_EQ(broken(site, Limit::kNewConnections), 1U);
  Visit later;
  site.arrive(&later, "127.0.0.1", kStart + 10s);
  EXPECT_EQ(all_broken(site), 1U);
}

TEST(Site, OneMessageTooManyInAConnectionIsCountedOnce) {
  Group group;
  group.max_messages_per_connection = 5;
  Site site(group, 1, kStart);
  Visit visit;
  site.arrive(&visit, "127.0.0.1", kStart);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(site.judge(&visit, Stage::kMail, "a@b.test", kStart).kind, Verdict::Kind::kGoOn);
  EXPECT_EQ(all_broken(site), 0U);
  EXPECT_TRUE(site.judge(&visit, Stage::kMail, "a@b.test", kStart).closes());
  EXPECT_EQ(broken(site, Limit::kMessagesPerConnection), 1U);
  EXPECT_EQ(all_broken(site), 1U);
}

// The window slides: what counts is any stretch of its length, not the minutes of a clock.
TEST(Site, OneMessageTooManyInTheWindowIsCountedOnce) {
  Group group;
  group.max_messages = 10;
  group.window = 60s;
  Site site(group, 1, kStart);
  Visit visit;
  site.arrive(&visit, "127.0.0.1", kStart);
  for (int i = 0; i < 10; ++i) site.judge(&visit, Stage::kMail, "a@b.test", kStart + 30s + i * 3s);
  EXPECT_EQ(all_broken(site), 0U);
  site.judge(&visit, Stage::kMail, "a@b.test", kStart + 90s - 1us);
  EXPECT_EQ(broken(site, Limit::kMessages), 1U);
  site.judge(&visit, Stage::kMail, "a@b.test", kStart + 90s);
  EXPECT_EQ(all_broken(site), 1U);
}

TEST(Site, OneRecipientTooManyIsCountedOnce) {
  Group group;
  group.max_recipients = 2;
  Site site(group, 1, kStart);
  Visit visit;
  site.arrive(&visit, "127.0.0.1", kStart);
  site.judge(&visit, Stage::kMail, "a@b.test", kStart);
  for (const char* name : {"x@c.test", "y@c.test", "z@c.test"})
    site.judge(&visit, Stage::kRcpt, name, kStart);
  EXPECT_EQ(broken(site, Limit::kRecipients), 1U);
  EXPECT_EQ(all_broken(site), 1U);
}

TEST(Site, GreylistingTakesTheSecondTryThatWaited) {
  Group group;
  group.greylist = 300s;
  Site site(group, 1, kStart);
  Visit visit;
  site.arrive(&visit, "127.0.0.1", kStart);
  site.judge(&visit, Stage::kMail, "a@b.test", kStart);
  EXPECT_EQ(site.judge(&visit, Stage::kRcpt, "x@c.test", kStart).reply.substr(0, 9), "450 4.2.0");
  EXPECT_EQ(all_broken(site), 0U);
  EXPECT_EQ(site.judge(&visit, Stage::kRcpt, "x@c.test", kStart + 300s - 1us).kind, Verdict::Kind::kReply);
  EXPECT_EQ(broken(site, Limit::kGreylist), 1U);
  EXPECT_EQ(site.judge(&visit, Stage::kRcpt, "x@c.test", kStart + 300s).kind, Verdict::Kind::kGoOn);
  EXPECT_EQ(all_broken(site), 1U);
}

TEST(Site, AStickyFaultMeetsTheSameRecipientsEveryTime) {
  Group group;
  group.faults.push_back({Stage::kRcpt, FaultKind::kReply, 0.5, "550 5.1.1 <{recipient}> unknown"});
  group.faults.back().sticky = true;
  Site site(group, 7, kStart);
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    Visit visit;
    const std::string name = "user" + std::to_string(i) + "@c.test";
    const Verdict first = site.judge(&visit, Stage::kRcpt, name, kStart);
    const Verdict again = site.judge(&visit, Stage::kRcpt, name, kStart);
    EXPECT_EQ(first.kind, again.kind) << name;
    if (first.kind != Verdict::Kind::kReply) continue;
    ++refused;
    EXPECT_EQ(first.reply, "550 5.1.1 <" + name + "> unknown");
  }
  EXPECT_GT(refused, 430);
  EXPECT_LT(refused, 570);
}

TEST(Site, AFaultKeepsToItsTime) {
  Group group;
  group.faults.push_back({Stage::kMail, FaultKind::kDrop});
  group.faults.back().after = 10s;
  group.faults.back().until = 20s;
  Site site(group, 1, kStart);
  Visit visit;
  EXPECT_EQ(site.judge(&visit, Stage::kMail, "", kStart + 10s - 1us).kind, Verdict::Kind::kGoOn);
  EXPECT_EQ(site.judge(&visit, Stage::kMail, "", kStart + 10s).kind, Verdict::Kind::kDrop);
  EXPECT_EQ(site.judge(&visit, Stage::kMail, "", kStart + 20s).kind, Verdict::Kind::kGoOn);
}

TEST(Scenario, NamesThePlaceOfEveryError) {
  const ParsedScenario parsed = parse_scenario(
      "name = \"x\"\n[[group]]\nname = \"a\"\nmax_conections = 3\n[[group.fault]]\nat = \"rcpt\"\n"
      "reply = \"fine\"\n",
      "s.toml");
  ASSERT_EQ(parsed.problems.size(), 2U);
  EXPECT_EQ(parsed.problems[0].text(),
            "s.toml:4:1: [[group]] there is no key \"max_conections\"; did you mean \"max_connections\"?");
  EXPECT_EQ(parsed.problems[1].text().substr(0, 11), "s.toml:7:9:");
}

TEST(Scenario, CopiesHaveHostsAndDomainsOfTheirOwn) {
  const ParsedScenario parsed = parse_scenario(
      "name = \"x\"\n[[group]]\nname = \"small\"\ncopies = 2\nhosts = 2\ndomains = 2\n", "s.toml");
  ASSERT_TRUE(parsed.problems.empty());
  ASSERT_EQ(parsed.scenario.groups.size(), 2U);
  EXPECT_EQ(parsed.scenario.groups[1].addresses.back(), "127.1.0.4");
  const std::string zone = zone_text(parsed.scenario);
  EXPECT_NE(zone.find("d2.small2.test. MX 20 mx2.small2.test.\n"), std::string::npos);
  EXPECT_NE(zone.find("mx2.small2.test. A 127.1.0.4\n"), std::string::npos);
}

TEST(IdCount, CountsWhatIsLostDoubledAndLate) {
  IdCount count;
  for (const char* id : {"a-1", "a-3", "a-2", "a-3", "a-6", "noise"}) count.add(id);
  count.add("a-6", 1);  // another recipient of the same message
  const IdTotals totals = count.totals(0);
  EXPECT_EQ(totals.distinct, 4U);
  EXPECT_EQ(totals.lost, 2U);
  EXPECT_EQ(totals.duplicated, 1U);
  EXPECT_EQ(totals.reordered, 1U);
  EXPECT_EQ(totals.foreign, 1U);
  EXPECT_EQ(count.totals(10).lost, 6U);
  EXPECT_EQ(recipient_slot("user17-2@d1.test"), 2U);
  EXPECT_EQ(recipient_slot("user17@d1-9.test"), 0U);
}

}  // namespace
}  // namespace bench
