#include "bench/personality/site.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "bench/personality/id_count.h"
#include "bench/personality/late_report.h"
#include "bench/personality/zone.h"

namespace bench {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Instant kStart{conf::Duration(0)};

Verdict come(Site* site, Visit* visit, const char* source, conf::Instant now) {
  site->introduce(visit, source, "");
  return site->arrive(visit, now);
}
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
    EXPECT_EQ(come(&site, &visits[i], "127.0.0.1", kStart).kind, Verdict::Kind::kGoOn);
  EXPECT_EQ(all_broken(site), 0U);
  Visit elsewhere;
  EXPECT_EQ(come(&site, &elsewhere, "127.0.0.2", kStart).kind, Verdict::Kind::kGoOn);
  const Verdict verdict = come(&site, &visits[3], "127.0.0.1", kStart);
  EXPECT_EQ(verdict.reply, "421 4.7.0 Too many connections from 127.0.0.1");
  EXPECT_TRUE(verdict.closes());
  EXPECT_EQ(broken(site, Limit::kConnections), 1U);
  EXPECT_EQ(all_broken(site), 1U);
  site.leave(&visits[3]);
  site.leave(&visits[0]);
  EXPECT_EQ(come(&site, &visits[0], "127.0.0.1", kStart).kind, Verdict::Kind::kGoOn);
}

// per = "address": each host of the group grants the whole limit.
TEST(Site, CountsForEachAddressOrForTheGroup) {
  for (const Per per : {Per::kGroup, Per::kAddress}) {
    Group group;
    group.per = per;
    group.hosts = {"mx1.a.test", "mx2.a.test"};
    group.addresses = {"127.1.0.1", "127.1.0.2"};
    group.max_connections = 1;
    group.max_messages = 1;
    Site site(group, 1, kStart);
    Visit visits[2];
    for (int i = 0; i < 2; ++i) {
      site.introduce(&visits[i], "127.0.0.1", group.addresses[i]);
      EXPECT_EQ(visits[i].host, group.hosts[i]);
      site.arrive(&visits[i], kStart);
      site.judge(&visits[i], Stage::kMail, "a@b.test", kStart);
    }
    const uint64_t expected = per == Per::kGroup ? 1 : 0;
    EXPECT_EQ(broken(site, Limit::kConnections), expected);
    EXPECT_EQ(broken(site, Limit::kMessages), expected);
  }
}

TEST(Site, OneNewConnectionTooManyInTheWindowIsCountedOnce) {
  Group group;
  group.max_new_connections = 2;
  group.window = 10s;
  Site site(group, 1, kStart);
  for (int i = 0; i < 3; ++i) {
    Visit visit;
    come(&site, &visit, "127.0.0.1", kStart + i * 1s);
    site.leave(&visit);
  }
  EXPECT_EQ(broken(site, Limit::kNewConnections), 1U);
  Visit later;
  come(&site, &later, "127.0.0.1", kStart + 10s);
  EXPECT_EQ(all_broken(site), 1U);
}

TEST(Site, OneMessageTooManyInAConnectionIsCountedOnce) {
  Group group;
  group.max_messages_per_connection = 5;
  Site site(group, 1, kStart);
  Visit visit;
  come(&site, &visit, "127.0.0.1", kStart);
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
  come(&site, &visit, "127.0.0.1", kStart);
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
  come(&site, &visit, "127.0.0.1", kStart);
  site.judge(&visit, Stage::kMail, "a@b.test", kStart);
  for (const char* name : {"x@c.test", "y@c.test"}) site.judge(&visit, Stage::kRcpt, name, kStart);
  EXPECT_EQ(all_broken(site), 0U);
  // What was pipelined behind the first one too many is the same mistake.
  for (const char* name : {"z@c.test", "zz@c.test"})
    EXPECT_EQ(site.judge(&visit, Stage::kRcpt, name, kStart).reply, "452 4.5.3 Too many recipients");
  EXPECT_EQ(broken(site, Limit::kRecipients), 1U);
  EXPECT_EQ(all_broken(site), 1U);
}

TEST(Site, GreylistingTakesTheSecondTryThatWaited) {
  Group group;
  group.greylist = 300s;
  Site site(group, 1, kStart);
  Visit visit;
  come(&site, &visit, "127.0.0.1", kStart);
  site.judge(&visit, Stage::kMail, "a@b.test", kStart);
  EXPECT_EQ(site.judge(&visit, Stage::kRcpt, "x@c.test", kStart).reply.substr(0, 9), "450 4.2.0");
  EXPECT_EQ(all_broken(site), 0U);
  EXPECT_EQ(site.judge(&visit, Stage::kRcpt, "x@c.test", kStart + 300s - 1us).kind, Verdict::Kind::kReply);
  EXPECT_EQ(site.judge(&visit, Stage::kRcpt, "x@c.test", kStart + 300s).kind, Verdict::Kind::kGoOn);
  EXPECT_EQ(site.tally().greylisted, 1U);
  EXPECT_EQ(site.tally().early, 1U);
  EXPECT_EQ(all_broken(site), 0U);  // no sender can know how long a site wants it to wait
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

TEST(Site, SendsBackTheShareThatItWasToldTo) {
  Group group;
  group.late.push_back({ReportKind::kDsn, 0.1, "550 5.1.1 <{recipient}> is gone", 10s, 5s});
  Site site(group, 3, kStart);
  Visit visit;
  come(&site, &visit, "127.0.0.1", kStart);
  LateReport report;
  EXPECT_FALSE(site.comes_back(visit, "x@c.test", &report));  // a null reverse-path
  visit.reverse_path = "a@b.test";
  int back = 0;
  for (int i = 0; i < 1000; ++i) {
    if (!site.comes_back(visit, "x@c.test", &report)) continue;
    ++back;
    EXPECT_GE(report.after, 10s);
    EXPECT_LT(report.after, 15s);
    EXPECT_EQ(report.reply, "550 5.1.1 <x@c.test> is gone");
  }
  EXPECT_GT(back, 60);
  EXPECT_LT(back, 140);
  EXPECT_EQ(site.tally().late, static_cast<uint64_t>(back));
}

TEST(LateReport, IsABounceOrAComplaintWithTheHeaderOfTheMessage) {
  LateReport report;
  report.reply = "550 5.1.1 <x@c.test> is gone";
  report.reverse_path = "a@b.test";
  report.recipient = "x@c.test";
  report.source = "127.0.0.9";
  report.host = "mx1.c.test";
  report.header = "X-Load-Id: p-7\r\nSubject: hello\r\n";
  const conf::WallTime at = conf::from_unix_micros(1'790'000'000'000'000);
  const std::string dsn = late_report_text(report, at, at, "t1");
  for (const char* part :
       {"To: <a@b.test>\r\n", "report-type=delivery-status", "Reporting-MTA: dns; mx1.c.test\r\n",
        "Final-Recipient: rfc822; x@c.test\r\n", "Action: failed\r\n", "Status: 5.1.1\r\n",
        "Diagnostic-Code: smtp; 550 5.1.1 <x@c.test> is gone\r\n", "X-Load-Id: p-7\r\n"})
    EXPECT_NE(dsn.find(part), std::string::npos) << part << "\n" << dsn;
  report.kind = ReportKind::kArf;
  const std::string arf = late_report_text(report, at, at, "t2");
  for (const char* part :
       {"To: a@b.test\r\n", "report-type=feedback-report", "Content-Type: message/feedback-report\r\n\r\n",
        "Feedback-Type: abuse\r\n", "Version: 1\r\n", "Source-IP: 127.0.0.9\r\n",
        "Original-Rcpt-To: <x@c.test>\r\n", "X-Load-Id: p-7\r\n", "--=_t2--\r\n"})
    EXPECT_NE(arf.find(part), std::string::npos) << part << "\n" << arf;
}

TEST(Scenario, AnHourCanLastAMinute) {
  ParsedScenario parsed = parse_scenario(
      "name = \"x\"\ntime_scale = 60\n[[group]]\nname = \"a\"\nwindow = \"1h\"\nmax_messages = 3\n"
      "[[group.fault]]\nat = \"rcpt\"\nafter = \"2h\"\ndrop = true\n",
      "s.toml");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.problems[0].text();
  speed_up(&parsed.scenario);
  const Group& group = parsed.scenario.groups.front();
  EXPECT_EQ(group.window, 60s);
  EXPECT_EQ(group.faults.front().after, 120s);
  EXPECT_EQ(group.faults.front().until, conf::Duration(INT64_MAX));
}

TEST(Scenario, WrongUsesAreNamedAtTheirPlace) {
  const struct {
    const char* text;
    const char* place;
  } cases[] = {
      {"per = \"host\"\n", "s.toml:4:7:"},
      {"tls = \"maybe\"\n", "s.toml:4:7:"},
      {"tls_name = \"x.test\"\n", "s.toml:4:12:"},
      {"[[group.fault]]\nat = \"rcpt\"\nhandshake = \"refuse\"\n", "s.toml:6:13:"},
      {"[[group.fault]]\nat = \"starttls\"\ndrop = true\n", "s.toml:4:1:"},
      {"tls = \"offered\"\n[[group.fault]]\nat = \"starttls\"\nhandshake = \"odd\"\n", "s.toml:7:13:"},
      {"[[group.late]]\nshare = 0.5\n", "s.toml:4:1:"},
      {"[[group.late]]\nkind = \"arf\"\nreply = \"550 no\"\n", "s.toml:6:9:"},
      {"[[group.late]]\nreply = \"250 fine\"\n", "s.toml:5:9:"},
      {"window = \"1 parsec\"\n", "s.toml:4:10:"},
  };
  for (const auto& one : cases) {
    const std::string text = std::string("name = \"x\"\n[[group]]\nname = \"a\"\n") + one.text;
    const ParsedScenario parsed = parse_scenario(text, "s.toml");
    ASSERT_EQ(parsed.problems.size(), 1U) << text;
    EXPECT_EQ(parsed.problems[0].text().substr(0, std::string(one.place).size()), one.place)
        << text << parsed.problems[0].text();
  }
}

TEST(Scenario, EveryFileThatIsShippedIsGood) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_SOURCE_DIR "/bench/scenarios")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".toml" || name.find(".rules.") != std::string::npos) continue;
    ++files;
    const ParsedScenario parsed = load_scenario(entry.path());
    for (const conf::Problem& problem : parsed.problems) ADD_FAILURE() << problem.text();
    EXPECT_EQ(parsed.scenario.name, entry.path().stem().string()) << "a scenario is called as its file is";
  }
  EXPECT_GE(files, 8U);
}

TEST(Scenario, SharesAddUpToOne) {
  const ParsedScenario parsed = parse_scenario(
      "name = \"x\"\n[[group]]\nname = \"a\"\nweight = 3\ndomains = 2\n[[group]]\nname = \"b\"\n", "s.toml");
  EXPECT_EQ(domain_shares(parsed.scenario),
            "d1.a.test 0.375000000\nd2.a.test 0.375000000\nd1.b.test 0.250000000\n");
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
