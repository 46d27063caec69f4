// Rules of the configuration: every key of one, what is impossible, and the examples of the documentation.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "mx/rules/path_limits.h"
#include "tests/relay/host/configuration_rig.h"

namespace relay {
namespace {

TEST(Configuration, EveryKeyOfARule) {
  const Configuration read = good(std::string(kAlone) + R"([[rule]]
name = "parent"
max_connections = 9
schedule = ["1h"]
[[rule]]
name = "isp"
mx = ["*.isp.example",
  "mx?.isp.net"]
domains = ["Bücher.example", "*.isp.example"]
sources = "1-5, 7"
inherit = "parent"
scope = "pool"
one_site = true
max_connections = "unset"
min_connections = 2
max_messages_per_connection = 50
messages_per_hour = 10000
smooth = true
rate = "100/min"
burst = 20
max_recipients = 30
connect_timeout = "10s"
dot_timeout = "5m"
timeout = "2m"
tls = "required"
smart_hosts = ["relay.example.net:2525"]
schedule = ["10m", "2 x 1h"]
validity = "3d"
jitter = 0.1
adaptive = "advise"
adaptive_min = 500
adaptive_max = 20000
warmup = [50, 100, 500]
warmup_hold = 0.1
[[rule.threshold]]
error_rate = "89.9%"
min_messages = 200
window = "30m"
min_duration = "5m"
block = "2h"
max_block = "4h"
first_probe = "10m"
count = ["soft"]
scope = "sender"
probes = 3
[[rule.threshold]]
error_rate = 0.899
block = "30h"
[[source]]
name = "new"
warmup = true
)");
  ASSERT_NE(read.book, nullptr);
  EXPECT_EQ(texts(read), "");
  const mx::RulePtr rule = read.book->named("isp");
  const auto& v = rule->values;
  EXPECT_EQ(rule->line, 10);
  EXPECT_EQ(rule->mx, (std::vector<std::string>{"*.isp.example", "mx?.isp.net"}));
  EXPECT_EQ(rule->domains, (std::vector<std::string>{"xn--bcher-kva.example", "*.isp.example"}));
  EXPECT_EQ(rule->sources.text(), "1-5,7");
  EXPECT_EQ(v.scope.value, conf::RuleScope::kPool);
  EXPECT_TRUE(v.one_site.value);
  EXPECT_FALSE(v.max_connections.set);
  EXPECT_EQ(v.max_connections.origin.text(), "p.toml:19 (rule isp)");
  EXPECT_EQ(v.min_connections.value, 2U);
  EXPECT_EQ(v.max_messages_per_connection.value, 50U);
  EXPECT_EQ(v.messages_per_hour.value, 10'000U);
  EXPECT_TRUE(v.smooth.value);
  EXPECT_EQ(v.rate.value.events, 100U);
  EXPECT_EQ(v.rate.value.per, std::chrono::minutes(1));
  EXPECT_EQ(v.rate.value.burst, 20U);
  EXPECT_EQ(v.max_recipients.value, 30U);
  EXPECT_EQ(v.connect_timeout.value, std::chrono::seconds(10));
  EXPECT_EQ(v.dot_timeout.value, std::chrono::minutes(5));
  EXPECT_EQ(v.timeout.value, std::chrono::minutes(2));
  EXPECT_EQ(v.tls.value, conf::TlsMode::kRequired);
  ASSERT_EQ(v.smart_hosts.value.size(), 1U);
  EXPECT_EQ(v.smart_hosts.value[0].port, 2525);
  EXPECT_EQ(v.schedule.value.size(), 3U);
  EXPECT_EQ(v.schedule.origin.rule, "isp");
  EXPECT_EQ(v.validity.value, std::chrono::hours(72));
  EXPECT_EQ(v.jitter.value, 0.1);
  EXPECT_EQ(v.adaptive.value, conf::AdaptiveMode::kAdvise);
  EXPECT_EQ(v.adaptive_min_per_hour.value, 500U);
  EXPECT_EQ(v.adaptive_max_per_hour.value, 20'000U);
  EXPECT_EQ(v.warmup.value, (std::vector<uint32_t>{50, 100, 500}));
  EXPECT_EQ(v.warmup_hold.value, 0.1);
  ASSERT_EQ(v.thresholds.value.size(), 2U);
  const conf::RuleThreshold& first = v.thresholds.value[0];
  EXPECT_EQ(first.error_rate_ppm, 899'000U);
  EXPECT_EQ(first.min_messages, 200U);
  EXPECT_EQ(first.window, std::chrono::minutes(30));
  EXPECT_EQ(first.block, std::chrono::hours(2));
  EXPECT_EQ(first.max_block, std::chrono::hours(4));
  EXPECT_EQ(first.min_duration, std::chrono::minutes(5));
  EXPECT_EQ(first.first_probe, std::chrono::minutes(10));
  EXPECT_FALSE(first.count_hard);
  EXPECT_TRUE(first.count_soft);
  EXPECT_EQ(first.scope, conf::ThresholdScope::kSender);
  EXPECT_EQ(first.probes, 3U);
  EXPECT_EQ(first.line, 40);
  const conf::RuleThreshold& second = v.thresholds.value[1];
  EXPECT_EQ(second.error_rate_ppm, 899'000U);
  EXPECT_EQ(second.max_block, std::chrono::hours(30)) << "not below block";
  EXPECT_EQ(second.min_duration, std::chrono::hours(0));
  EXPECT_EQ(second.first_probe, std::chrono::hours(0));
}

TEST(Configuration, AThresholdMayBeUnset) {
  const Configuration read = good(std::string(kMinimal) +
                                  "[[rule]]\nname = \"calm\"\nmx = [\"*.calm.example\"]\ninherit = "
                                  "\"general\"\nthreshold = \"unset\"\n");
  ASSERT_NE(read.book, nullptr);
  EXPECT_TRUE(mx::limits_for(read.book->named("calm").get(), read.config->defaults).thresholds.empty());
  EXPECT_EQ(mx::limits_for(read.book->named("general").get(), read.config->defaults).thresholds.size(), 1U);
}

// What is wrong with a rule is said exactly once, at its place. Each case stands at line 7 and on.
TEST(Configuration, ImpossibleRules) {
  const std::string bad_name =
      "the name of a rule has no blanks, no '|', no quotes and only ASCII; such as \"isp-1\"";
  const struct {
    std::string lines;
    std::string expected;
  } cases[] = {
      {"rate = \"0/min\"", "p.toml:9:8: a rate of 0 would stop all mail; leave it out for no limit"},
      {"rate = \"5/0s\"",
       "p.toml:9:8: [[rule]] rate: \"5/0s\" is not a rate; write for example \"100/min\", \"20/s\" or "
       "\"5000/h\""},
      {"rate = \"fast\"",
       "p.toml:9:8: [[rule]] rate: \"fast\" is not a rate; write for example \"100/min\", \"20/s\" or "
       "\"5000/h\""},
      {"rate = \"5/s\"\nburst = 0", "p.toml:9:8: burst = 0 lets nothing through; the least is 1"},
      {"rate = \"5/s\"\nburst = 6",
       "p.toml:9:8: burst = 6 is above the rate itself, which lets 5 go in that time; the burst is a part of "
       "them"},
      {"burst = 5",
       "p.toml:9:9: [[rule]] burst: goes with a rate in the same rule, such as rate = \"100/min\""},
      {"messages_per_hour = 0",
       "p.toml:9:21: messages_per_hour = 0 would stop all mail; leave it out for no limit"},
      {"max_connections = 2\nmin_connections = 3",
       "p.toml:10:19: min_connections = 3 is above max_connections = 2 of p.toml:9 (rule r)"},
      {"max_connections = -1",
       "p.toml:9:19: [[rule]] max_connections: -1 is out of range: at least 0, at most 4294967295"},
      {"tls = \"secure\"",
       "p.toml:9:7: [[rule]] tls: \"secure\" is not one of \"off\", \"opportunistic\", \"required\""},
      {"scope = \"host\"",
       "p.toml:9:9: [[rule]] scope: \"host\" is not one of \"path\", \"source\", \"pool\""},
      {"domains = [\"a..b\"]", "p.toml:9:12: mask \"a..b\": no name has two dots in a row"},
      {"domains = [\"a.b\", \"x y*\"]", "p.toml:9:19: mask \"x y*\": ' ' cannot stand in a mask of a name"},
      {"domains = []",
       "p.toml:9:11: [[rule]] domains: is an empty list: the rule would never match; leave it out"},
      {"sources = \"5-1\"",
       "p.toml:9:11: \"5-1\" is not a range of source identifiers: it ends before it begins; write for "
       "example "
       "\"1-5\", \"7\", \"-3\" or \"9-\""},
      {"inherit = \"googel\"", "p.toml:9:11: no rule is named \"googel\" to inherit from"},
      {"inherit = \"nobody\"", "p.toml:9:11: no rule is named \"nobody\" to inherit from"},
      {"max_conections = 5",
       "p.toml:9:1: [[rule]] there is no key \"max_conections\"; did you mean \"max_connections\"?"},
      {"timeout = \"0s\"", "p.toml:9:11: timeout must be longer than nothing"},
      {"schedule = []",
       "p.toml:9:12: [[rule]] schedule: is empty: mail would be given up at its first refusal; [\"1h\"] is "
       "one "
       "more attempt"},
      {"smart_hosts = [\"a:b\"]",
       "p.toml:9:15: [[rule]] smart_hosts: \"a:b\" is not a host: write \"relay.example.net\", "
       "\"relay.example.net:2525\" or \"[2001:db8::1]:25\""},
      {"adaptive = \"on\"",
       "p.toml:9:12: adaptive needs adaptive_min and adaptive_max, the bounds of what it may learn"},
      {"adaptive_min = 9\nadaptive_max = 8", "p.toml:9:16: adaptive_min is above adaptive_max"},
      {"warmup = [100, 50]",
       "p.toml:9:10: [[rule]] warmup: is a ladder of 1 to 366 days that never falls, such as [50, 100, 500, "
       "1000, "
       "5000]"},
      {"warmup = [0]",
       "p.toml:9:11: [[rule]] warmup: every element must be a whole number, at least 1, at most 4294967295"},
      {"[[rule.threshold]]\nerror_rate = 90",
       "p.toml:10:14: [[rule.threshold]] error_rate: must be a share such as \"90%\" or 0.9, at most "
       "\"100%\" or "
       "1"},
      {"[[rule.threshold]]\nerror_rate = \"0%\"",
       "p.toml:9:1: threshold of rule \"r\": error_rate must be above 0 and at most 1"},
      {"messages_per_hour = 100\n[[rule.threshold]]\nmin_messages = 101",
       "p.toml:10:1: threshold of rule \"r\": min_messages = 101 is above what messages_per_hour = 100 "
       "(p.toml:9 "
       "(rule r)) allows within the window: it could never block"},
      {"rate = \"1/min\"\n[[rule.threshold]]\nmin_messages = 62",
       "p.toml:10:1: threshold of rule \"r\": min_messages = 62 is above what the rate (p.toml:9 (rule r)) "
       "allows "
       "within the window: it could never block"},
      {"[[rule.threshold]]\nwindow = \"49h\"",
       "p.toml:9:1: threshold of rule \"r\": window must be between 1s and 48h"},
      {"[[rule.threshold]]\nblock = \"2h\"\nmax_block = \"1h\"",
       "p.toml:9:1: threshold of rule \"r\": max_block is shorter than block"},
      {"[[rule.threshold]]\nwindow = \"5m\"\nmin_duration = \"6m\"",
       "p.toml:9:1: threshold of rule \"r\": min_duration is longer than window: the errors would be "
       "forgotten "
       "before they have gone on so long"},
      {"[[rule.threshold]]\nmin_duration = 5",
       "p.toml:10:16: [[rule.threshold]] min_duration: a duration is a text with its unit, such as \"90s\", "
       "\"3h\" or \"5d\""},
      {"[[rule.threshold]]\nblock = \"5m\"\nfirst_probe = \"5m\"",
       "p.toml:9:1: threshold of rule \"r\": first_probe must come before the block is over: it is not "
       "shorter than block"},
      {"[[rule.threshold]]\ncount = [\"ignored\"]",
       "p.toml:10:9: [[rule.threshold]] count: \"ignored\" is not one of \"hard\", \"soft\""},
      {"[[rule.threshold]]\ncount = []",
       "p.toml:9:1: threshold of rule \"r\": it counts no error: count must name \"hard\", \"soft\" or both"},
      {"[[rule.threshold]]\nprobes = 101",
       "p.toml:9:1: threshold of rule \"r\": probes must be between 1 and 100"},
      {"[rule.threshold]\nprobes = 1",
       "p.toml:9:1: [[rule]] threshold: is written with double brackets: [[rule.threshold]]"},
      {"[[rule]]\nmx = [\"*.b.example\"]",
       "p.toml:9:1: a rule needs a name, by which messages, counters and other rules call it: name = "
       "\"isp\""},
      {"[[rule]]\nname = \"r\"", "p.toml:9:1: a rule named \"r\" is already at p.toml:6"},
      {"[[rule]]\nname = \"a b\"", "p.toml:9:1: " + bad_name},
  };
  for (const auto& each : cases) {
    const Configuration read = parse_configuration(
        std::string(kAlone) + "[[rule]]\nname = \"r\"\nmx = [\"*.r.example\"]\n" + each.lines + "\n",
        "p.toml");
    EXPECT_EQ(read.config, nullptr) << each.lines;
    EXPECT_EQ(read.book, nullptr) << each.lines;
    EXPECT_EQ(texts(read), each.expected + "\n") << each.lines;
  }
}

TEST(Configuration, AShippedRuleThatWasMeantAsAParentIsNamed) {
  const Configuration read = parse_configuration(
      std::string(kMinimal) + "[[rule]]\nname = \"own\"\nmx = [\"*.b.example\"]\ninherit = \"googel\"\n",
      "p.toml");
  EXPECT_NE(texts(read).find("no rule is named \"googel\" to inherit from; did you mean \"google\"?"),
            std::string::npos)
      << texts(read);
}

TEST(Configuration, AShadowedRuleIsAWarning) {
  const Configuration read =
      good(std::string(kMinimal) +
           "[[rule]]\nname = \"all\"\nmx = [\"*.isp.com\"]\ninherit = \"general\"\n"
           "[[rule]]\nname = \"late\"\nmx = [\"*.mx.isp.com\"]\ninherit = \"general\"\n");
  EXPECT_EQ(
      texts(read),
      "p.toml:8:1: warning: rule \"late\" can never match: rule \"all\" and those before it take all that it "
      "would\n");
}

// The rules in the examples of the documentation fit together, and with the shipped ones.
TEST(ConfigurationDocs, TheRulesOfEveryExampleAreGood) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/docs/configuration.md");
  std::ostringstream docs;
  docs << file.rdbuf();
  const std::string text = docs.str();
  size_t with_rules = 0;
  for (size_t at = text.find("```toml\n"); at != std::string::npos; at = text.find("```toml\n", at + 1)) {
    const std::string example = text.substr(at + 8, text.find("```", at + 8) - at - 8);
    if (example.find("[[rule]]") == std::string::npos) continue;
    ++with_rules;
    EXPECT_EQ(texts(good(kMinimal + example)), "") << example;
  }
  EXPECT_GE(with_rules, 5U);
}

}  // namespace
}  // namespace relay
