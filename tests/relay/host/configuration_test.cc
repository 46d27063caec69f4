#include "relay/host/configuration.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "conf/rules_file.h"
#include "mx/rules/path_limits.h"

namespace relay {
namespace {

constexpr const char* kMinimal =
    "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n";
constexpr const char* kAlone =
    "hostname = \"relay.example.com\"\n[mx]\nshipped_rules = \"off\"\n[[listener]]\naddress = "
    "\"127.0.0.1:25\"\n";

std::string texts(const Configuration& configuration) {
  std::string out;
  for (const conf::Problem& problem : configuration.problems) out += problem.text() + "\n";
  return out;
}

Configuration good(const std::string& text) {
  Configuration read = parse_configuration(text, "p.toml");
  EXPECT_NE(read.config, nullptr) << texts(read);
  EXPECT_NE(read.book, nullptr) << texts(read);
  return read;
}

class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& text)
      : path_(testing::TempDir() + "penstock-" + std::to_string(::getpid()) + "-" + name) {
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

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

TEST(Configuration, AllErrorsAtOnceInOrder) {
  const Configuration read = parse_configuration(
      "hostname = \"relay.example.com\"\n[[rule]]\nname = \"r\"\nmx = [\"*\"]\nrate = \"0/s\"\n"
      "[[listener]]\naddress = 25\n[[rule]]\nname = \"s\"\nmx = [\"a b\"]\n",
      "p.toml");
  EXPECT_EQ(texts(read),
            "p.toml:5:8: a rate of 0 would stop all mail; leave it out for no limit\n"
            "p.toml:7:11: [[listener]] address: wanted is a text in quotes, this is a value of type integer\n"
            "p.toml:10:7: mask \"a b\": ' ' cannot stand in a mask of a name\n");
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

TEST(Configuration, SourcesHaveIdentifiers) {
  const Configuration read = good(
      std::string(kMinimal) + "[[source]]\nname = \"a\"\n[[source]]\nname = \"b\"\nid = 7\nwarmup = true\n");
  EXPECT_EQ(read.config->sources[0].id, 1U);
  EXPECT_FALSE(read.config->sources[0].warmup);
  EXPECT_EQ(read.config->sources[1].id, 7U);
  EXPECT_TRUE(read.config->sources[1].warmup);
  EXPECT_EQ(
      texts(parse_configuration(
          std::string(kMinimal) + "[[source]]\nname = \"a\"\nid = 2\n[[source]]\nname = \"b\"\n", "p.toml")),
      "p.toml:7:1: [[source]] id: 2 is the identifier of source \"a\" already (without id it is the position "
      "in the file)\n");
}

TEST(Configuration, SecretsThatOthersReadOrGuessAreAWarning) {
  const std::string file = testing::TempDir() + "penstock-" + std::to_string(::getpid()) + "-secrets.toml";
  std::ofstream(file) << kMinimal
                      << "auth = true\nauth_without_tls = true\n[[user]]\nname = \"a\"\nsecret = \"$6$x$y\"\n"
                      << "[[user]]\nname = \"b\"\nsecret = \"$1$x$y\"\n";
  for (const unsigned mode : {0666U, 0604U, 0660U, 0640U, 0600U}) {
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
    const Configuration read = load_configuration(file);
    ASSERT_NE(read.config, nullptr) << texts(read);
    const bool said = texts(read).find("are open to others here: chmod 640 " + file) != std::string::npos;
    EXPECT_EQ(said, (mode & 027U) != 0) << mode << texts(read);
    EXPECT_NE(texts(read).find("the secret of [[user]] b is an MD5 hash"), std::string::npos);
    EXPECT_EQ(texts(read).find("[[user]] a is"), std::string::npos);
  }
  std::filesystem::remove(file);
}

// Of another mail server, say: every login would fail, and nothing would tell why.
TEST(Configuration, AHashThatThisSystemDoesNotKnowIsAWarning) {
  const Configuration read = good(std::string(kAlone) +
                                  "auth = true\nauth_without_tls = true\n"
                                  "[[user]]\nname = \"a\"\nsecret = \"$argon2id$v=19$m=65536,t=3,p=1$x$y\"\n"
                                  "[[user]]\nname = \"b\"\nsecret = \"$y$j9T$abc$def\"\n"
                                  "[[user]]\nname = \"c\"\nsecret = \"$2b$12$abc\"\n");
  EXPECT_EQ(
      texts(read),
      "p.toml: warning: the secret of [[user]] a is no hash that crypt(3) of this system knows: nobody can "
      "log in with it; `penstock hash-password` makes one\n");
}

TEST(Configuration, ShippedRulesFromAFile) {
  const TemporaryFile rules("rules.toml", "[[rule]]\nname = \"theirs\"\nmx = [\"*\"]\nmax_connections = 3\n");
  const TemporaryFile main("main.toml",
                           std::string(kMinimal) + "[mx]\nshipped_rules = \"" + rules.path() + "\"\n");
  const Configuration read = load_configuration(main.path());
  ASSERT_NE(read.book, nullptr) << texts(read);
  ASSERT_EQ(read.book->rules().size(), 1U);
  EXPECT_TRUE(read.book->rules()[0]->shipped);
  EXPECT_EQ(read.book->rules()[0]->values.max_connections.origin.text(), rules.path() + ":4 (rule theirs)");
}

TEST(Configuration, ErrorsInAFileOfRulesCarryItsName) {
  const TemporaryFile rules("bad.toml",
                            "hostname = \"x\"\n[[rule]]\nname = \"r\"\nmx = [\"*\"]\nrate = \"0/s\"\n");
  const TemporaryFile main("main2.toml", std::string(kMinimal) + "[mx]\nshipped_rules = \"" + rules.path() +
                                             "\"\n[[rule]]\nname = \"r\"\nmessages_per_hour = 0\n");
  const Configuration read = load_configuration(main.path());
  EXPECT_EQ(read.config, nullptr);
  EXPECT_EQ(texts(read),
            main.path() + ":8:21: messages_per_hour = 0 would stop all mail; leave it out for no limit\n" +
                rules.path() +
                ":1:1: there is no key \"hostname\" here; it belongs to the top of penstock.toml, before the "
                "first [table]\n" +
                rules.path() + ":5:8: a rate of 0 would stop all mail; leave it out for no limit\n");
  const TemporaryFile lost("main3.toml",
                           std::string(kMinimal) + "[mx]\nshipped_rules = \"/nonexistent.toml\"\n");
  EXPECT_EQ(
      texts(load_configuration(lost.path())),
      lost.path() + ":5:17: [mx] shipped_rules: cannot read /nonexistent.toml: No such file or directory\n");
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

TEST(ShippedRules, AreGoodAndKnowTheirLines) {
  const Configuration read = good(kMinimal);
  ASSERT_NE(read.book, nullptr);
  EXPECT_EQ(texts(read), "");
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/mx/rules/shipped.toml");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  for (const mx::RulePtr& rule : read.book->rules()) {
    EXPECT_TRUE(rule->shipped);
    EXPECT_EQ(rule->file, "rules.toml (shipped)");
    ASSERT_LT(static_cast<size_t>(rule->line), lines.size());
    EXPECT_EQ(lines[static_cast<size_t>(rule->line)], "name = \"" + rule->name + "\"");
    EXPECT_EQ(lines[static_cast<size_t>(rule->line) - 2].substr(0, 2), "# ")
        << rule->name << " has an origin";
  }
}

TEST(ShippedRules, FindTheirProviders) {
  const mx::RuleBookPtr book = good(kMinimal).book;
  ASSERT_NE(book, nullptr);
  const std::pair<const char*, const char*> hosts[] = {
      {"alt1.gmail-smtp-in.l.google.com", "google"},
      {"aspmx3.googlemail.com", "google"},
      {"hotmail-com.olc.protection.outlook.com", "microsoft-consumer"},
      {"example-com.mail.protection.outlook.com", "exchange-online"},
      {"mta5.am0.yahoodns.net", "yahoo"},
      {"mx01.mail.icloud.com", "icloud"},
      {"mx1h1.comcast.net", "comcast"},
      {"smtp-in.orange.fr", "orange-fr"},
      {"mx00.emig.gmx.net", "united-internet"},
      {"mx-ha02.web.de", "united-internet"},
      {"mx00.t-online.de", "t-online"},
      {"mxs.mail.ru", "mail-ru"},
      {"mx.yandex.net", "yandex"},
      {"mxa-00112233.gslb.pphosted.com", "proofpoint"},
      {"eu-smtp-inbound-1.mimecast.com", "mimecast"},
      {"d12345a.ess.barracudanetworks.com", "barracuda"},
      {"esa1.hc1234-56.iphmx.com", "cisco-iphmx"},
      {"mx3.qq.com", "qq"},
      {"163mx01.mxmail.netease.com", "netease"},
      {"mx.example.com", "general"},
      {"google.com.example.net", "general"},
  };
  for (const auto& [host, rule] : hosts) {
    const mx::RulePtr found = book->match("example.com", std::vector<std::string>{host}, 1);
    ASSERT_NE(found, nullptr) << host;
    EXPECT_EQ(found->name, rule) << host;
    EXPECT_FALSE(found->values.thresholds.value.empty()) << host;
  }
}

TEST(ShippedRules, TheGeneralCaseOnlyBlocks) {
  const Configuration read = good(kMinimal);
  ASSERT_NE(read.book, nullptr);
  const mx::RulePtr general = read.book->named("general");
  const mx::PathLimits with = mx::limits_for(general.get(), read.config->defaults);
  const mx::PathLimits without = mx::limits_for(nullptr, read.config->defaults);
  EXPECT_EQ(with.max_connections, without.max_connections);
  EXPECT_EQ(with.max_messages_per_connection, without.max_messages_per_connection);
  EXPECT_EQ(with.messages_per_hour, 0U);
  EXPECT_EQ(with.rate.events, 0U);
  EXPECT_FALSE(with.one_site);
  ASSERT_EQ(with.thresholds.size(), 1U);
  EXPECT_EQ(with.thresholds[0].error_rate_ppm, 900'000U);
  EXPECT_EQ(with.thresholds[0].min_messages, 300U);
  EXPECT_EQ(with.thresholds[0].window, std::chrono::hours(1));
  EXPECT_EQ(with.thresholds[0].block, std::chrono::hours(3));
  EXPECT_EQ(read.book->rules().back(), general);
}

TEST(ShippedRules, CanBeLeftOut) {
  EXPECT_TRUE(good(kAlone).book->rules().empty());
  EXPECT_NE(texts(parse_configuration(std::string(kMinimal) + "[mx]\nshipped_rules = \"\"\n", "p.toml"))
                .find("p.toml:5:17: [mx] shipped_rules: is empty"),
            std::string::npos);
}

// [replies] rules: seen from the folder of the configuration, read at load, with its examples.
TEST(Configuration, LocalReplyRulesAreReadAndTheirExamplesRun) {
  const std::string folder = testing::TempDir() + "replies-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  const std::string file = folder + "/penstock.toml", rules = folder + "/own.toml";
  const auto write = [](const std::string& path, const std::string& text) { std::ofstream(path) << text; };
  write(file,
        "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:2525\"\n"
        "[replies]\nrules = \"own.toml\"\n");
  const std::string rule =
      "[[reply]]\nname = \"own\"\ntext = [\"go away\"]\nreason = \"refused\"\ntype = \"soft\"\n"
      "scope = \"site\"\n";
  write(rules, rule + "match = [\"550 go away\"]\n");
  const Configuration good = load_configuration(file);
  ASSERT_NE(good.qualifier, nullptr) << good.problems.front().text();
  const bounce::Reply reply = bounce::Reply::make(550, "go away");
  EXPECT_EQ(good.qualifier->qualify({bounce::Stage::kRcpt, &reply}).rule, "own");

  write(rules, rule + "match = [\"550 stay here\"]\n");
  const Configuration bad = load_configuration(file);
  EXPECT_EQ(bad.config, nullptr);
  EXPECT_EQ(bad.qualifier, nullptr);
  ASSERT_EQ(bad.problems.size(), 1U);
  EXPECT_EQ(bad.problems[0].text(),
            rules + ":7:10: rule \"own\": its example \"550 stay here\": no rule decides it");

  std::filesystem::remove(rules);
  EXPECT_EQ(load_configuration(file).config, nullptr);
  std::filesystem::remove_all(folder);
}

TEST(Configuration, ReplyRulesOfItsOwnStandBeforeTheOthersAndTheirExamplesRun) {
  const std::string head = "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:2525\"\n";
  const std::string rule =
      "[[reply]]\nname = \"own\"\ntext = [\"no such user here\"]\nreason = \"refused\"\ntype = \"soft\"\n"
      "scope = \"site\"\n";
  const Configuration good =
      parse_configuration(head + rule + "match = [\"550 No such user here\"]\n[log]\nkeep = 3\n", "p.toml");
  ASSERT_NE(good.qualifier, nullptr) << good.problems.front().text();
  const bounce::Reply reply = bounce::Reply::make(550, "no such user here");
  EXPECT_EQ(good.qualifier->qualify({bounce::Stage::kRcpt, &reply}).rule, "own");

  const Configuration bad = parse_configuration(head + rule + "match = [\"550 stay here\"]\n", "p.toml");
  EXPECT_EQ(bad.config, nullptr);
  ASSERT_EQ(bad.problems.size(), 1U);
  EXPECT_EQ(bad.problems[0].text(),
            "p.toml:10:10: rule \"own\": its example \"550 stay here\": no rule decides it");

  const Configuration wrong = parse_configuration(head + rule + "reson = \"refused\"\n", "p.toml");
  EXPECT_EQ(wrong.config, nullptr);
  ASSERT_EQ(wrong.problems.size(), 1U);
  EXPECT_EQ(wrong.problems[0].text().rfind("p.toml:10:1: ", 0), 0U) << wrong.problems[0].text();
}

}  // namespace
}  // namespace relay
