#include "relay/host/silent_mistakes.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/relay/host/configuration_rig.h"

namespace relay {
namespace {

TEST(SilentMistakes, ARuleCannotTakeVerifiedTlsAway) {
  const std::string destination =
      "[[destination]]\nname = \"bank\"\ndomains = [\"bank.test\"]\ntls = \"required\"\ntls_verify = true\n";
  EXPECT_TRUE(
      warns(destination + "[[rule]]\nname = \"loose\"\nmx = [\"mx.bank.test\"]\ntls = \"opportunistic\"\n",
            "rule \"loose\": its tls does not hold for [[destination]] \"bank\""));
}

TEST(SilentMistakes, ARecipientDomainInThePlaceOfAnMxHost) {
  EXPECT_TRUE(
      warns("[[rule]]\nname = \"g\"\nmx = [\"gmail.com\"]\n",
            "p.toml:6:7: warning: mx = [\"gmail.com\"] matches an MX host of exactly this name; for mail to "
            "addresses at gmail.com write domains = [\"gmail.com\"]"));
  EXPECT_EQ(
      warnings("[[rule]]\nname = \"g\"\ninherit = \"general\"\nmx = [\"mx1.isp.example\", \"*.isp\"]\n"), "");
}

TEST(SilentMistakes, SourcesThatNobodyHas) {
  EXPECT_TRUE(warns("[[rule]]\nname = \"g\"\nmx = [\"*.isp.example\"]\nsources = \"9\"\n",
                    "p.toml:7:11: warning: sources = \"9\": there is no source with such an id"));
}

std::string source_at(const std::string& name, const std::string& address, const std::string& more = "") {
  return "[[source]]\nname = \"" + name + "\"\naddress = \"" + address + "\"\n" + more;
}

TEST(SilentMistakes, TwoSourcesThatReceiversCannotTellApart) {
  const std::string a = source_at("a", "127.0.0.1"), b = source_at("b", "127.0.0.1");
  EXPECT_TRUE(warns(a + b,
                    "p.toml:9:1: warning: [[source]] \"b\" sends the same mail from the same address as "
                    "\"a\" (line 4): receivers see one sender"));
  const std::string masks = "include_domains = [\"a.test\", \"b.test\"]\n";
  const std::string turned = "include_domains = [\"b.test\", \"a.test\"]\n";
  const std::string rest = source_at("rest", "127.0.0.2");
  EXPECT_TRUE(warns(source_at("a", "::ffff:127.0.0.1", masks) + source_at("b", "127.0.0.1", turned) + rest,
                    "[[source]] \"b\" sends the same mail from the same address as \"a\""));
  EXPECT_EQ(warnings(a + rest), "");
  EXPECT_EQ(warnings(a + source_at("b", "127.0.0.1", masks)), "");
  EXPECT_EQ(warnings(a + source_at("b", "127.0.0.1", "weight = 0\n")), "");
  const std::string news = "[[stream]]\nname = \"news\"\nsenders = [\"news.test\"]\nsources = \"2\"\n";
  const std::string others = "[[stream]]\nname = \"others\"\nsources = \"1\"\n";
  EXPECT_EQ(warnings(a + b + news + others), "") << "by the stream of the mail";
}

TEST(SilentMistakes, ATemplateThatNobodyInherits) {
  EXPECT_TRUE(warns("[[rule]]\nname = \"mine\"\nmax_connections = 3\n",
                    "p.toml:4:1: warning: rule \"mine\" has neither mx nor domains and no rule inherits it"));
  EXPECT_EQ(
      warnings(
          "[[rule]]\nname = \"mine\"\ninherit = \"general\"\n[[rule]]\nname = \"g\"\ninherit = \"mine\"\n"
          "mx = [\"*.isp.example\"]\n"),
      "");
}

TEST(SilentMistakes, AWayPastTheQuarantineThatIsShut) {
  EXPECT_TRUE(warns("[quarantine]\nenabled = false\naction = \"log\"\n",
                    "p.toml:1:1: warning: [quarantine] enabled = false: its other keys"));
  EXPECT_TRUE(
      warns("[quarantine]\nbypass_header = \"X-Mandated\"\n", "refuses addresses in quarantine at RCPT"));
  EXPECT_EQ(warnings("[quarantine]\nbypass_header = \"X-Mandated\"\naction = \"report\"\n"), "");
  EXPECT_EQ(warnings("[quarantine]\nmax_errors = 3\n[outage_guard]\nenabled = false\n"), "");
}

TEST(SilentMistakes, ATokenInAMessageIdThatNobodyGets) {
  const std::string wish = "[returns]\nmessage_id = true\nkeys = \"/k\"\n";
  const std::string path = "[[return_path]]\ndomain = \"return.example\"\n";
  EXPECT_TRUE(
      warns(wish, "p.toml:5:1: warning: [returns] message_id does nothing: no [[return_path]] signs"));
  EXPECT_TRUE(warns(wish + path + "verp = \"off\"\n", "no [[return_path]] signs mail"));
  EXPECT_TRUE(warns(wish + path, "message_id does nothing: no [[listener]] has add_missing_headers"));
  EXPECT_EQ(warnings("add_missing_headers = true\n" + wish + path), "");
}

TEST(SilentMistakes, AValidityThatAllowsOneAttempt) {
  EXPECT_TRUE(warns("[defaults]\nport = 25\nvalidity = \"30m\"\n",
                    "p.toml:6:1: warning: [defaults] validity is over before the first wait"));
  EXPECT_TRUE(warns("[[destination]]\nname = \"d\"\ndomains = [\"a.example\"]\nvalidity = \"30m\"\n",
                    "p.toml:7:1: warning: [[destination]] \"d\" validity is over before the first wait"));
  EXPECT_EQ(warnings("[defaults]\nvalidity = \"30m\"\nschedule = [\"10m\"]\n"), "");
}

std::string destination(const std::string& name, const std::string& domains) {
  return "[[destination]]\nname = \"" + name + "\"\ndomains = [" + domains + "]\n";
}

TEST(SilentMistakes, ADelayThatIsNeverReported) {
  const std::string late = "[defaults]\nvalidity = \"2h\"\nschedule = [\"30m\"]\n";
  EXPECT_TRUE(warns(late + "delay_report_after = \"3h\"\n",
                    "p.toml:7:1: warning: [defaults] delay_report_after is not below validity"));
  EXPECT_EQ(warnings(late), "");
  // A validity of the destination meets what is written for all.
  EXPECT_TRUE(warns("[defaults]\nvalidity = \"2d\"\ndelay_report_after = \"4h\"\n" +
                        destination("bank", "\"bank.test\"") + "validity = \"2h\"\nschedule = [\"30m\"]\n",
                    "[[destination]] \"bank\" delay_report_after is not below validity"));
}

TEST(SilentMistakes, ADestinationThatAnEarlierOneLeavesNothing) {
  EXPECT_TRUE(
      warns(destination("all", "\"*\"") + destination("bank", "\"bank.test\", \"*.bank.test\""),
            "p.toml:7:1: warning: [[destination]] \"bank\" gets no mail: \"all\" (line 4) stands before "
            "it and takes all that it would"));
  EXPECT_TRUE(warns(destination("a", "\"*.bank.test\"") + destination("b", "\"x.bank.test\", \"bank.test\""),
                    "[[destination]] \"b\" gets no mail for x.bank.test: \"a\" (line 4)"));
  EXPECT_TRUE(warns(destination("a", "\"a.test\"") + destination("b", "\"b.test\"") +
                        destination("c", "\"a.test\", \"b.test\""),
                    "\"c\" gets no mail: \"a\" (line 4), \"b\" (line 7) stand before it and take all"));
  EXPECT_EQ(warnings(destination("bank", "\"bank.test\"") + destination("all", "\"*\"")), "");
}

TEST(SilentMistakes, ARuleByMxHostsWhereAllMailGoesBySmartHosts) {
  const std::string smart = "[defaults]\nsmart_hosts = [\"relay.isp.example:587\"]\n";
  const auto rule = [](const std::string& masks) {
    return "[[rule]]\nname = \"g\"\ninherit = \"general\"\n" + masks + "\n";
  };
  EXPECT_TRUE(
      warns(smart + rule("mx = [\"*.google.com\"]"),
            "p.toml:6:1: warning: rule \"g\" does nothing: all mail goes by smart_hosts (p.toml:5), so "
            "its mx = *.google.com is compared with the names of these and matches none"));
  const auto holds = [&](const std::string& rest) {
    return warnings(smart + rest).find("does nothing") == std::string::npos;
  };
  EXPECT_TRUE(holds(rule("mx = [\"*.isp.example\"]")));
  EXPECT_TRUE(holds(rule("domains = [\"gmail.com\"]")));
  const std::string by_mx = destination("by-mx", "\"gmail.com\"") + "smart_hosts = []\n";
  EXPECT_TRUE(holds(by_mx + rule("mx = [\"*.google.com\"]"))) << "for that destination";
}

TEST(SilentMistakes, DomainsThatNoSourceMaySendTo) {
  const auto source = [](const std::string& name, const std::string& masks) {
    return "[[source]]\nname = \"" + name + "\"\n" + masks + "\n";
  };
  EXPECT_TRUE(warns(source("a", "include_domains = [\"gmail.com\"]"),
                    "p.toml:4:1: warning: mail to domains that no include_domains names cannot leave"));
  EXPECT_TRUE(
      warns(source("a", "exclude_domains = [\"gmail.com\"]") + source("b", "include_domains = [\"*.test\"]"),
            "p.toml:4:1: warning: mail to gmail.com cannot leave"));
  EXPECT_TRUE(warns(source("a", "include_domains = [\"x.test\"]\nexclude_domains = [\"*.test\"]") +
                        source("b", "exclude_domains = [\"x.test\"]"),
                    "mail to x.test cannot leave"));
  EXPECT_EQ(warnings(source("a", "exclude_domains = [\"gmail.com\"]") +
                     source("b", "include_domains = [\"gmail.com\"]")),
            "");
  EXPECT_TRUE(
      warns(source("a", "") + source("b", "include_domains = [\"x.test\"]") +
                "[[stream]]\nname = \"s\"\nsenders = [\"s.test\"]\nsources = \"2\"\n"
                "[[stream]]\nname = \"rest\"\nsources = \"1\"\n",
            "p.toml:10:1: warning: mail of [[stream]] \"s\" to domains that no include_domains names"));
}

TEST(SilentMistakes, ADestinationBelowAShippedRule) {
  EXPECT_TRUE(warns("[[destination]]\nname = \"g\"\ndomains = [\"gmail.com\"]\nmax_connections = 40\n",
                    "max_connections = 40 does not hold where the MX hosts fall under a shipped rule with "
                    "less (google 10"));
  EXPECT_EQ(warnings("[[destination]]\nname = \"g\"\ndomains = [\"gmail.com\"]\nmax_connections = 5\n"), "");
}

constexpr const char* kTwoSources =
    "[[source]]\nname = \"tx\"\n[[source]]\nname = \"news\"\n[[user]]\nname = \"crm\"\nsecret = \"$y$x\"\n";

std::string streams(const std::string& text) { return warnings(kTwoSources + text); }

TEST(SilentMistakes, AStreamWithAnIdThatIsNoSources) {
  const std::string rest = "[[stream]]\nname = \"rest\"\nsources = \"1, 4-5, 2\"\n";
  EXPECT_EQ(streams(rest),
            "p.toml:13:11: warning: sources = \"1, 4-5, 2\": there is no [[source]] with id 4-5\n");
}

TEST(SilentMistakes, AStreamThatAnEarlierOneLeavesNothing) {
  const std::string rest = "[[stream]]\nname = \"rest\"\nsources = \"1-\"\n";
  const auto two = [&](const std::string& first, const std::string& second) {
    return streams("[[stream]]\nname = \"a\"\nsources = \"2\"\n" + first +
                   "\n[[stream]]\nname = \"b\"\nsources = \"1\"\n" + second + "\n" + rest);
  };
  constexpr const char* kNever =
      "p.toml:15:1: warning: [[stream]] \"b\" gets no mail: \"a\" (line 11) stands before";
  for (const auto& [first, second] : std::vector<std::pair<const char*, const char*>>{
           {"", "users = [\"crm\"]"},
           {"senders = [\"*.example.com\"]", "senders = [\"news.example.com\", \"a@x.example.com\"]"},
           {"senders = [\"*@example.com\"]", "senders = [\"example.com\"]"},
           {"header = \"X-Stream: *\"", "header = \"x-stream: news\"\nusers = [\"crm\"]"},
       }) {
    const std::string said = two(first, second);
    EXPECT_EQ(said.substr(0, std::string(kNever).size()), kNever) << first << "\n" << second << "\n" << said;
  }
  for (const auto& [first, second] : std::vector<std::pair<const char*, const char*>>{
           {"users = [\"crm\"]", "senders = [\"a.example\"]"},
           {"senders = [\"a@example.com\"]", "senders = [\"example.com\"]"},
           {"senders = [\"*\"]", "senders = [\"<>\"]"},
           {"header = \"X-Stream: news\"", "header = \"X-Stream: *\""},
           {"header = \"X-A: news\"", "header = \"X-B: news\""},
       })
    EXPECT_EQ(two(first, second), "") << first << "\n" << second;
}

TEST(SilentMistakes, ASourceThatNoMailLeavesFrom) {
  EXPECT_EQ(streams("[[stream]]\nname = \"all\"\nsources = \"1\"\n"),
            "p.toml:11:1: warning: no mail leaves from the source \"news\" (id 2): all mail belongs to a "
            "[[stream]], and none of them has it in its sources\n");
}

TEST(SilentMistakes, MailOfNoStreamLeavesFromTheSourceOfAStreamToo) {
  const std::string news = "[[stream]]\nname = \"news\"\nusers = [\"crm\"]\nsources = \"2\"\n";
  EXPECT_NE(streams(news).find("p.toml:11:1: warning: mail that no [[stream]] takes leaves from all sources"),
            std::string::npos)
      << streams(news);
  EXPECT_EQ(streams(news + "[[stream]]\nname = \"rest\"\nsources = \"1\"\n"), "");
}

TEST(SilentMistakes, AStreamWhoseSourcesHaveNoWeight) {
  EXPECT_NE(
      warnings("[[source]]\nname = \"a\"\n[[source]]\nname = \"b\"\nweight = 0\n[[stream]]\nname = \"n\"\n"
               "sources = \"2\"\nsenders = [\"n.example\"]\n")
          .find("p.toml:11:11: warning: [[stream]] \"n\": its sources have weight 0"),
      std::string::npos);
}

}  // namespace
}  // namespace relay
