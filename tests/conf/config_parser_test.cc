#include "conf/config_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/conf/config_rig.h"

namespace conf {
namespace {

using namespace std::chrono_literals;

TEST(Config, MinimalIsSafeAndComplete) {
  const ConfigPtr config = good(kMinimal);
  ASSERT_NE(config, nullptr);
  EXPECT_EQ(config->hostname, "relay.example.com");
  ASSERT_EQ(config->listeners.size(), 1U);
  const Listener& listener = config->listeners.front();
  EXPECT_EQ(listener.address, "127.0.0.1");
  EXPECT_EQ(listener.port, 25);
  EXPECT_EQ(listener.bare_newline, BareNewline::kRefuse);
  std::array<uint8_t, 16> loopback{}, stranger{};
  ASSERT_TRUE(parse_ip("127.0.0.1", &loopback) && parse_ip("192.0.2.1", &stranger));
  const auto may_relay = [&listener](const auto& ip) {
    return std::ranges::any_of(listener.relay_from,
                               [&ip](const Network& network) { return network.contains(ip); });
  };
  EXPECT_TRUE(may_relay(loopback));
  EXPECT_FALSE(may_relay(stranger));
  ASSERT_EQ(config->sources.size(), 1U);
  EXPECT_EQ(config->sources.front().name, "default");
  EXPECT_EQ(config->spool.durability, Durability::kSync);
  EXPECT_EQ(config->defaults.retry.delays.size(), 9U);
  EXPECT_EQ(config->defaults.retry.delays[4], Duration(1h));
  EXPECT_EQ(config->defaults.retry.delays[5], Duration(24h));
}

TEST(Config, AllProblemsAtOnceWithTheirPlaces) {
  const ParsedConfig parsed = parse_config(
      "hostnam = \"a\"\n[[listener]]\nadress = \"x\"\n[spool]\nreserve = \"12XB\"\n[defaults]\ntls_verify = "
      "true\n",
      "c.toml");
  EXPECT_EQ(parsed.config, nullptr);
  const std::string text = all_problems(parsed);
  for (const char* expected :
       {"c.toml:1:1: there is no key \"hostnam\"; did you mean \"hostname\"?",
        "c.toml:1:1: hostname: is missing", "c.toml:2:1: [[listener]] address: is missing",
        "did you mean \"address\"?",
        "c.toml:5:11: [spool] reserve:", "c.toml:7:14: [defaults] tls_verify: needs tls = \"required\""}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\nin\n" << text;
  }
}

struct Bad {
  const char* more;      // after the minimal configuration
  const char* expected;  // within the messages
};

TEST(Config, ContradictionsAndWrongValues) {
  const Bad cases[] = {
      {"auth = true\n", "needs a certificate"},
      {"auth = true\nauth_without_tls = true\n", "there is no [[user]]"},
      {"implicit_tls = true\n", "needs a certificate"},
      {"max_recipients = 99\n", "at least 100"},
      {"max_recipients = \"many\"\n", "wanted is a whole number"},
      {"relay_from = [\"10.0.0.0/33\"]\n", "is not a network"},
      {"bare_newline = \"keep\"\n", "is not one of \"refuse\", \"convert\""},
      {"command_timeout = 90\n", "a text with its unit"},
      {"command_timeout = \"90\"\n", "needs a unit"},
      {"[[listener]]\naddress = \"127.0.0.1:25\"\n", "another listener has it already"},
      {"[[listener]]\naddress = \"localhost:25\"\n", "is not an IP address with a port"},
      {"[tls]\ncertificate = \"/c.pem\"\n", "go together"},
      {"[[user]]\nname = \"joe\"\nsecret = \"plain\"\n", "never the password itself"},
      {"[[source]]\naddress = \"192.0.2.1\"\n", "name: is missing"},
      {"[[source]]\nname = \"a\"\nweight = 0\n", "nothing could be sent"},
      {"[[source]]\nname = \"a\"\n[[source]]\nname = \"a\"\n", "is the name of another source"},
      {"[[destination]]\nname = \"x\"\n", "domains: is missing"},
      {"[[destination]]\ndomains = [\"a b\"]\n", "a b"},
      {"[defaults]\nsmart_hosts = [\"a:b\"]\n", "is not a host"},
      {"[defaults]\nschedule = [\"x 5\"]\n", "is not a step"},
      {"[defaults]\nschedule = [\"3foo x 1h\"]\n", "is not a step"},
      {"[defaults]\nschedule = []\n", "is empty"},
      {"[defaults]\njitter = 2.0\n", "from 0 to 1"},
      {"[defaults]\njitter = nan\n", "from 0 to 1"},
      {"[dns]\nservers = [\"ns.example\"]\n", "is not an IP address"},
      {"[backoff]\nfirst = \"1h\"\nmax = \"1s\"\n", "is longer than max"},
      {"[log]\nrotate_size = 5\n", "too small"},
      {"[replies]\nmax_text = 511\n", "max_text: too small: at least 512 bytes"},
      {"[replies]\nmax_text = \"65KiB\"\n", "max_text: too big: at most 65536 bytes"},
      {"[sppol]\n", "did you mean \"spool\"?"},
      {"[spool]\npath = \n", "not TOML"},
      {"[:\n", "not TOML"},
      {"[dns]\nipv6 = yes\n", "a switch is true or false"},
      {"[[rule.threshold]]\nprobes = 1\n[[rule]]\nname = \"a\"\n", "after the [[rule]] it belongs to"},
      {"name = \xe2\x80\x9cx\xe2\x80\x9d\n", "not ASCII"},
  };
  for (const Bad& each : cases) {
    const ParsedConfig parsed = parse_config(std::string(kMinimal) + each.more, "t.toml");
    EXPECT_EQ(parsed.config, nullptr) << each.more;
    EXPECT_NE(all_problems(parsed).find(each.expected), std::string::npos)
        << each.more << all_problems(parsed);
  }
}

TEST(Config, OpenRelayIsAWarningOnly) {
  const ParsedConfig parsed =
      parse_config(std::string(kMinimal) + "relay_from = [\"0.0.0.0/0\"]\n", "t.toml");
  EXPECT_NE(parsed.config, nullptr);
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_TRUE(parsed.problems.front().warning);
  const std::string before = std::string(kMinimal);
  EXPECT_EQ(parsed.problems.front().line, 1 + std::count(before.begin(), before.end(), '\n'));
}

TEST(Config, MoreRecipientsThanAMessageMayHaveAreAWarningOnly) {
  const ParsedConfig parsed = parse_config(std::string(kMinimal) + "max_recipients = 50000\n", "t.toml");
  ASSERT_NE(parsed.config, nullptr) << all_problems(parsed);
  EXPECT_EQ(parsed.config->listeners[0].max_recipients, 10'000U);
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_TRUE(parsed.problems[0].warning);
}

TEST(Config, TheOldNameOfDotTimeoutInARuleIsReadWithAWarning) {
  const std::string rule = std::string(kMinimal) + "[[rule]]\nname = \"a\"\nmx = [\"*.test\"]\n";
  const ParsedConfig old = parse_config(rule + "data_timeout = \"4m\"\n", "t.toml");
  ASSERT_NE(old.config, nullptr) << all_problems(old);
  EXPECT_EQ(old.config->rules[0].fields.dot_timeout.value, std::chrono::minutes(4));
  ASSERT_EQ(old.problems.size(), 1U);
  EXPECT_TRUE(old.problems[0].warning);
  EXPECT_NE(old.problems[0].message.find("dot_timeout"), std::string::npos);
  const ParsedConfig both = parse_config(rule + "data_timeout = \"4m\"\ndot_timeout = \"5m\"\n", "t.toml");
  EXPECT_EQ(both.config, nullptr);
  const ParsedConfig fresh = parse_config(rule + "dot_timeout = \"5m\"\n", "t.toml");
  ASSERT_NE(fresh.config, nullptr);
  EXPECT_TRUE(fresh.problems.empty()) << all_problems(fresh);
}

TEST(Config, DestinationInheritsDefaultsAndTheFirstMatchWins) {
  const ConfigPtr config =
      good(std::string(kMinimal) +
           "[defaults]\nmax_connections = 7\nschedule = [\"2 x 10m\", \"1h\"]\n"
           "[[destination]]\nname = \"slow\"\ndomains = [\"*.slow.example\", \"slow.example\"]\n"
           "max_messages_per_connection = 3\n"
           "[[destination]]\ndomains = [\"*\"]\nmax_connections = 9\n");
  ASSERT_NE(config, nullptr);
  uint32_t index = 7;
  const DestinationSettings& slow = config->settings_for("mail.slow.example", &index);
  EXPECT_EQ(index, 1U);
  EXPECT_EQ(slow.max_connections, 7U);
  EXPECT_EQ(slow.max_messages_per_connection, 3U);
  ASSERT_EQ(slow.retry.delays.size(), 3U);
  EXPECT_EQ(slow.retry.delays[1], Duration(10min));
  EXPECT_EQ(config->settings_for("other.example", &index).max_connections, 9U);
  EXPECT_EQ(index, 2U);
}

TEST(Config, SmartHosts) {
  const ConfigPtr config =
      good(std::string(kMinimal) +
           "[defaults]\nsmart_hosts = [\"relay.example.net\", \"Relay.example.net:2525\", "
           "\"[2001:db8::1]:587\", \"192.0.2.1\"]\n");
  ASSERT_NE(config, nullptr);
  const std::vector<SmartHost>& hosts = config->defaults.smart_hosts;
  ASSERT_EQ(hosts.size(), 4U);
  EXPECT_EQ(hosts[0].port, 25);
  EXPECT_EQ(hosts[1].host, "relay.example.net");
  EXPECT_EQ(hosts[1].port, 2525);
  EXPECT_EQ(hosts[2].host, "2001:db8::1");
  EXPECT_EQ(hosts[2].port, 587);
  EXPECT_EQ(hosts[3].host, "192.0.2.1");
}

TEST(Config, SchedulesByReasonAndFirstTries) {
  const ConfigPtr config = good(std::string(kMinimal) + R"(
[defaults]
[defaults.schedule_by_reason]
account-disabled = ["2 x 2d"]
[defaults.first_tries]
greylisting = ["2m", "4m"]
[[destination]]
domains = ["own.example"]
schedule = ["30m"]
[[destination]]
domains = ["plain.example"]
retry = "reference"
[[destination]]
domains = ["full.example"]
schedule_by_reason = { mailbox-full = [] }
)");
  ASSERT_NE(config, nullptr);
  const RetrySchedule& retry = config->defaults.retry;
  ASSERT_NE(retry.of(Reason::kMailboxFull), nullptr);
  EXPECT_EQ(retry.of(Reason::kMailboxFull)->delays, (RetrySchedule::Delays{24h}));
  EXPECT_EQ(retry.of(Reason::kAccountDisabled)->delays, (RetrySchedule::Delays{48h, 48h}));
  EXPECT_EQ(retry.of(Reason::kRefused), nullptr);
  EXPECT_EQ(retry.first_tries[0], (RetrySchedule::Delays{Duration(2min), Duration(4min)}));
  // A schedule of one's own: what was shipped gives way, what was written does not.
  const RetrySchedule& own = config->settings_for("own.example").retry;
  EXPECT_EQ(own.of(Reason::kMailboxFull), nullptr);
  EXPECT_NE(own.of(Reason::kAccountDisabled), nullptr);
  const RetrySchedule& plain = config->settings_for("plain.example").retry;
  EXPECT_TRUE(plain.by_reason.empty());
  EXPECT_TRUE(plain.first_tries[0].empty());
  EXPECT_EQ(plain.delays.size(), 9U);
  EXPECT_EQ(config->settings_for("full.example").retry.of(Reason::kMailboxFull), nullptr);
}

TEST(Config, WrongSchedulesByReasonAreTold) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"[defaults.schedule_by_reason]\nmailbox-fool = [\"1d\"]\n", "mailbox-full"},
      {"[defaults.schedule_by_reason]\ndouble = [\"1d\"]\n", "never follows from a refusal"},
      {"[defaults.schedule_by_reason]\nmailbox-full = [\"x\"]\n", "is not a step"},
      {"[defaults.first_tries]\ngreylist = [\"1m\"]\n", "greylisting"},
      {"[defaults]\nretry = \"often\"\n", "by-reason"},
  };
  for (const auto& each : cases) {
    const ParsedConfig parsed = parse_config(std::string(kMinimal) + each.text, "test.toml");
    EXPECT_EQ(parsed.config, nullptr) << each.text;
    EXPECT_NE(all_problems(parsed).find(each.problem), std::string::npos) << all_problems(parsed);
  }
}

TEST(Config, UnreadableFile) {
  const ParsedConfig parsed = load_config("/nonexistent/penstock.toml");
  EXPECT_EQ(parsed.config, nullptr);
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_NE(parsed.problems.front().text().find("No such file"), std::string::npos);
}

TEST(Config, APlaceThatNoStartCouldUseIsNamed) {
  const auto problem = [](const std::string& section) {
    return all_problems(parse_config(kMinimal + section, "t.toml"));
  };
  EXPECT_EQ(problem("[admin]\nsocket = \"admin.sock\"\n"),
            "t.toml:5:10: [admin] socket: \"admin.sock\" is no absolute path\n");
  EXPECT_EQ(problem("[log]\npath = \"\"\n"), "t.toml:5:8: [log] path: is empty\n");
  EXPECT_EQ(problem("[spool]\npath = \"\"\n"), "t.toml:5:8: [spool] path: is empty\n");
}

TEST(ConfigParser, AUserMayHaveSendersAndALimit) {
  const std::string head =
      "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n[[user]]\nname = \"crm\"\n"
      "secret = \"$y$x\"\n";
  const ParsedConfig parsed =
      parse_config(head + "senders = [\"*@News.example\", \"<>\"]\nmessages_per_hour = 1000\n", "t.toml");
  ASSERT_NE(parsed.config, nullptr);
  EXPECT_EQ(parsed.config->users[0].senders, (std::vector<std::string>{"*@News.example", "<>"}));
  EXPECT_EQ(parsed.config->users[0].messages_per_hour, 1000U);
  EXPECT_EQ(parsed.config->user("crm"), &parsed.config->users[0]);
  EXPECT_EQ(parsed.config->user("shop"), nullptr);
  const ParsedConfig wrong = parse_config(head + "senders = [\"a b\"]\n", "t.toml");
  ASSERT_EQ(wrong.config, nullptr);
  EXPECT_EQ(wrong.problems.front().text().substr(0, 40), "t.toml:7:11: [[user]] senders: \"a b\" is ");
}

TEST(Units, DurationsSizesRates) {
  EXPECT_EQ(parse_duration("90s").value(), Duration(90s));
  EXPECT_EQ(parse_duration("1h30m").value(), Duration(90min));
  EXPECT_EQ(parse_duration("500 ms").value(), Duration(500ms));
  EXPECT_EQ(parse_duration("5d").value(), Duration(120h));
  EXPECT_EQ(parse_duration("1.5h").value(), Duration(90min));
  for (const char* bad : {"", "5", "h", "-1s", "1x", "9999999999d", "s5", "nans", "nan s", "infs", "1s nanh"})
    EXPECT_FALSE(parse_duration(bad).ok()) << bad;
  EXPECT_EQ(parse_size("25MB").value(), 25'000'000U);
  EXPECT_EQ(parse_size("64KiB").value(), 65'536U);
  EXPECT_EQ(parse_size("0").value(), 0U);
  for (const char* bad : {"", "MB", "5 PB", "-1", "nan", "inf", "nanMB"})
    EXPECT_FALSE(parse_size(bad).ok()) << bad;
  EXPECT_EQ(parse_rate("100/min").value().events, 100U);
  EXPECT_EQ(parse_rate("100/min").value().per, Duration(1min));
  EXPECT_EQ(parse_rate("5/10s").value().per, Duration(10s));
  for (const char* bad : {"", "100", "/min", "5/", "5/0s", "x/min"})
    EXPECT_FALSE(parse_rate(bad).ok()) << bad;
}

}  // namespace
}  // namespace conf
