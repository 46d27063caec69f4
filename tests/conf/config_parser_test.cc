#include "conf/config_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace conf {
namespace {

using namespace std::chrono_literals;

constexpr const char* kMinimal =
    "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n";

std::string all_problems(const ParsedConfig& parsed) {
  std::string text;
  for (const Problem& problem : parsed.problems) text += problem.text() + "\n";
  return text;
}

ConfigPtr good(const std::string& text) {
  const ParsedConfig parsed = parse_config(text, "t.toml");
  EXPECT_NE(parsed.config, nullptr) << all_problems(parsed);
  return parsed.config;
}

std::string read(const std::string& path) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

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

// Every key that the parser asks for stands in docs/configuration.md, and every example there is good.
TEST(ConfigDocs, EveryKeyIsExplained) {
  const std::string docs = read("docs/configuration.md");
  std::set<std::string> keys;
  const std::regex asks(
      R"((?:->|\.)(?:text|flag|number|share|duration|size|texts|choice|table|tables)\(\s*"([a-z_0-9]+)\")");
  for (const char* source :
       {"conf/sections.cc", "conf/config_parser.cc", "conf/rule_section.cc", "conf/quarantine_section.cc",
        "conf/replies_section.cc", "conf/retry_section.cc", "conf/peer_section.cc", "conf/returns_section.cc",
        "conf/return_mailbox_section.cc", "conf/stream_section.cc"}) {
    const std::string code = read(source);
    for (std::sregex_iterator it(code.begin(), code.end(), asks), end; it != end; ++it) keys.insert((*it)[1]);
  }
  EXPECT_GT(keys.size(), 60U);
  for (const std::string& key : keys) {
    const bool named =
        docs.find('`' + key + '`') != std::string::npos || docs.find('[' + key + ']') != std::string::npos;
    EXPECT_TRUE(named) << key;
  }
}

TEST(ConfigDocs, EveryExampleIsGood) {
  const std::string docs = read("docs/configuration.md");
  size_t examples = 0;
  for (size_t at = docs.find("```toml\n"); at != std::string::npos; at = docs.find("```toml\n", at + 1)) {
    const size_t begin = at + 8;
    std::string text = docs.substr(begin, docs.find("```", begin) - begin);
    if (text.find("hostname") == std::string::npos) text = "hostname = \"relay.example.com\"\n" + text;
    if (text.find("[[listener]]") == std::string::npos)
      text += "\n[[listener]]\naddress = \"127.0.0.1:25\"\n";
    const ParsedConfig parsed = parse_config(text, "example");
    EXPECT_NE(parsed.config, nullptr) << text << all_problems(parsed);
    ++examples;
  }
  EXPECT_GT(examples, 5U);
}

// The examples of the tables: each key by itself, with what it needs beside it.
TEST(ConfigDocs, EveryKeyHasAGoodExample) {
  std::istringstream docs(read("docs/configuration.md"));
  const std::regex heading(R"(^## (?:`\[+([a-z]+)\]+`)?.*)");
  const std::regex part(R"(^`\[+([a-z_.]+)\]+`:$)");  // of a section
  const std::regex row(R"(^\| `([a-z_0-9]+)` \| [^|]+ \| [^|]+ \| `([^`]+)` \| [^|]+ \|$)");
  const std::map<std::string, std::string> beside = {
      {"listener", "address = \"127.0.0.1:25\"\n"},
      {"user", "name = \"someone\"\nsecret = \"$y$j9T$salt$hash\"\n"},
      {"source", "name = \"someone\"\n"},
      {"stream", "name = \"s\"\nsources = \"2\"\n"},
      {"tls", "certificate = \"/c.pem\"\nkey = \"/k.pem\"\n"},
      {"defaults", "domains = [\"example.org\"]\n"},
      {"dkim", "default_domain = \"example.com\"\n"},
      {"dkim_key", "domain = \"example.com\"\nselector = \"s\"\nfile = \"/k.pem\"\n"},
      {"rule", "name = \"r\"\nadaptive_min = 1\nadaptive_max = 100000\nrate = \"1/s\"\n"},
      {"rule.threshold", "block = \"1s\"\n"},
      {"return_path", "domain = \"return.example.com\"\n"},
      {"return_mailbox", "url = \"imap://imap.example.com\"\nlogin = \"main\"\n"},
      {"login", "name = \"main\"\nuser = \"u\"\nfile = \"/etc/secret\"\n"},
  };
  const std::set<std::string> many = {"login",       "listener",       "user",  "source",
                                      "destination", "dkim_key",       "rule",  "rule.threshold",
                                      "return_path", "return_mailbox", "stream"};
  std::string section;
  size_t examples = 0;
  for (std::string line; std::getline(docs, line);) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) section = match[1];
    if (std::regex_match(line, match, part)) section = match[1];
    if (line.rfind("| `", 0) != 0) continue;
    ASSERT_TRUE(std::regex_match(line, match, row)) << line;
    const std::string key = match[1];
    const std::string setting = key + " = " + match[2].str() + "\n";
    const auto needed = beside.find(section);
    std::istringstream others(needed == beside.end() ? "" : needed->second);
    std::string text;
    for (std::string other; std::getline(others, other);) {
      if (other.rfind(key + " ", 0) != 0) text += other + "\n";
    }
    if (key == "tls_verify") text += "tls = \"required\"\n";
    if (key == "login" && section != "return_mailbox") text += "smart_hosts = [\"relay.example.net\"]\n";
    if (section == "login" && (key == "credential" || key == "command"))
      text.erase(text.find("file"), text.find('\n', text.find("file")) + 1 - text.find("file"));
    if (key == "certificate" && section == "login") text += "key = \"/k.pem\"\n";
    if (key == "key" && section == "login") text += "certificate = \"/c.pem\"\n";
    text += setting;
    const std::string name = section == "defaults" ? "destination" : section;
    if (!section.empty()) text.insert(0, many.contains(name) ? "[[" + name + "]]\n" : "[" + name + "]\n");
    if (section == "rule.threshold") text.insert(0, "[[rule]]\nname = \"r\"\n");
    if (key != "hostname") text.insert(0, "hostname = \"relay.example.com\"\n");
    if (section != "listener") text += "[[listener]]\naddress = \"127.0.0.1:25\"\n";
    if (key == "role") text += "[returns]\nfeedback = [\"fbl@return.example.com\"]\n";
    if (section == "stream")
      text +=
          "[[listener]]\nname = \"bulk\"\naddress = \"127.0.0.1:26\"\n[[source]]\nname = \"news\"\nid = 2\n";
    if (section == "return_path") text += "[returns]\nkeys = \"/k\"\n";
    if (section == "dkim") text += "[[dkim_key]]\n" + beside.at("dkim_key");
    if (section != "user") text += "[[user]]\nname = \"shop\"\nsecret = \"$y$j9T$salt$hash\"\n";
    if (section != "login") text += "[[login]]\n" + beside.at("login");
    if (section != "tls") text += "[tls]\ncertificate = \"/c.pem\"\nkey = \"/k.pem\"\n";
    const ParsedConfig parsed = parse_config(text, "example");
    EXPECT_NE(parsed.config, nullptr) << text << all_problems(parsed);
    ++examples;
  }
  EXPECT_GT(examples, 80U);
}

TEST(ConfigDocs, ThePackagedFileIsGood) {
  const ParsedConfig parsed = parse_config(read("packaging/penstock.toml"), "penstock.toml");
  EXPECT_NE(parsed.config, nullptr) << all_problems(parsed);
}

TEST(Returns, TheFirstPathOfTheSenderHolds) {
  const ConfigPtr config = good(std::string(kMinimal) + R"(
[returns]
keys = "/k"
[[return_path]]
senders = ["quiet.example"]
domain = "return.example"
verp = "off"
[[return_path]]
senders = ["*.shop.example"]
domain = "Return.Shop.example"
prefix = "b"
verp = "domain"
[[return_path]]
domain = "return.example"
)");
  const auto path = [&](const char* sender) {
    return config->returns.path_for(Mailbox::parse(sender).value());
  };
  EXPECT_EQ(path("a@quiet.example"), nullptr);
  EXPECT_EQ(path("a@news.shop.example")->domain, "return.shop.example");
  EXPECT_EQ(path("a@news.shop.example")->verp, VerpGrade::kDomain);
  EXPECT_EQ(path("a@other.example")->prefix, "bounces");
  EXPECT_EQ(config->returns.path_for(Mailbox()), nullptr) << "the null reverse-path stays null";
}

TEST(Returns, MistakesAreTold) {
  const auto problems = [](const std::string& text) {
    return all_problems(parse_config(std::string(kMinimal) + text, "t.toml"));
  };
  EXPECT_NE(problems("[[return_path]]\ndomain = \"r.example\"\n").find("needs a file of keys"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nkeys = \"/k\"\n[[return_path]]\n").find("where does mail come back to?"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nkeys = \"/k\"\n[[return_path]]\ndomain = \"[192.0.2.1]\"\n")
                .find("is not a domain"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nkeys = \"/k\"\n[[return_path]]\ndomain = \"r.example\"\nprefix = \"a+b\"\n")
                .find("at most 26 letters"),
            std::string::npos);
  EXPECT_NE(problems("[returns]\nfeedback = [\"no address\"]\n").find("\"no address\""), std::string::npos);
}

TEST(Returns, AMailboxIsReadFromItsUrl) {
  const auto place = [](const std::string& url) {
    const Result<MailboxPlace> parsed = MailboxPlace::parse(url);
    return parsed.ok() ? parsed.value().text() : "";
  };
  EXPECT_EQ(place("pop3s://Mail.Example.com"), "pop3s://mail.example.com:995");
  EXPECT_EQ(place("pop3://192.0.2.1:1110/"), "pop3://192.0.2.1:1110");
  EXPECT_EQ(place("imaps://imap.example.com"), "imaps://imap.example.com:993/INBOX");
  EXPECT_EQ(place("imap://[2001:db8::1]:1143/Bounces/2026"), "imap://[2001:db8::1]:1143/Bounces/2026");
  for (const char* bad :
       {"", "pop3s:", "pop3s://", "http://a.example", "pop3s://u@a.example", "pop3s://a.example/INBOX",
        "imaps://a.example:0", "imaps://a.example:99999", "imaps://a b", "imaps://a.example/x?y",
        "imaps://a.example/x\"y", "imaps://a.example/a\r\nb", "imaps://[::1"})
    EXPECT_EQ(place(bad), "") << bad;
}

TEST(Returns, MistakesOfAMailboxAreTold) {
  const auto problems = [](const std::string& text) {
    return all_problems(
        parse_config(std::string(kMinimal) +
                         "[[login]]\nname = \"l\"\nuser = \"u\"\nfile = \"/f\"\n[[return_mailbox]]\n" + text,
                     "t.toml"));
  };
  const std::string good = "url = \"imap://a.example\"\nlogin = \"l\"\n";
  EXPECT_EQ(problems(good), "");
  EXPECT_NE(problems("login = \"l\"\n").find("where is the mailbox?"), std::string::npos);
  EXPECT_NE(problems("url = \"imap://a.example\"\n").find("the name of a [[login]]"), std::string::npos);
  EXPECT_NE(problems("url = \"imap://a.example\"\nlogin = \"x\"\n").find("there is no [[login]]"),
            std::string::npos);
  EXPECT_NE(
      problems("url = \"imaps://a.example\"\nlogin = \"l\"\ntls = \"off\"\n").find("TLS from the start"),
      std::string::npos);
  EXPECT_NE(problems(good + "tls = \"off\"\n").find("without_tls = true"), std::string::npos);
  EXPECT_NE(problems(good + "[[return_mailbox]]\n" + good).find("polled by another"), std::string::npos);
  EXPECT_NE(problems(good + "bacth = 3\n").find("bacth"), std::string::npos);
  const std::string told = problems("url = \"ftp://a.example\"\nlogin = \"l\"\n");
  EXPECT_NE(told.find("is no mailbox"), std::string::npos) << told;
  EXPECT_NE(told.find("t.toml:"), std::string::npos) << told;
}

std::string dkim_problem(const std::string& text) {
  const ParsedConfig parsed = parse_config(std::string(kMinimal) + text, "t.toml");
  return all_problems(parsed);
}

TEST(Dkim, KeysInheritTheOptions) {
  const ConfigPtr config = good(std::string(kMinimal) +
                                "[dkim]\nexpire = \"2d\"\nbody_canonicalization = \"simple\"\n"
                                "[[dkim_key]]\ndomain = \"Example.COM\"\nselector = \"a\"\nfile = \"/a\"\n"
                                "[[dkim_key]]\ndomain = \"*.example.com\"\nselector = \"b\"\nfile = \"/b\"\n"
                                "expire = \"1d\"\noversign = [\"From\"]\n");
  ASSERT_EQ(config->dkim.keys.size(), 2U);
  EXPECT_EQ(config->dkim.keys[0].domain, "example.com");
  EXPECT_EQ(config->dkim.keys[0].options.expire, Duration(48h));
  EXPECT_EQ(config->dkim.keys[1].options.expire, Duration(24h));
  EXPECT_EQ(config->dkim.keys[1].options.body, Canonicalization::kSimple);
  EXPECT_EQ(config->dkim.keys[1].options.oversign.size(), 1U);
  EXPECT_EQ(config->dkim.keys[1].domain, "*.example.com");
}

std::string login_problem(const std::string& text) {
  return all_problems(parse_config(std::string(kMinimal) + text, "t.toml"));
}

TEST(Login, ASecretIsForTheHostsItWasWrittenFor) {
  const std::string logins =
      "[[login]]\nname = \"a\"\nuser = \"u\"\nfile = \"/a\"\n"
      "[[login]]\nname = \"b\"\nuser = \"u\"\ncommand = [\"/bin/token\", \"x\"]\nmechanism = \"xoauth2\"\n";
  const ConfigPtr config =
      good(std::string(kMinimal) + logins +
           "[defaults]\nsmart_hosts = [\"one.example:587\"]\nlogin = \"a\"\n"
           "[[destination]]\ndomains = [\"x.example\"]\nsmart_hosts = [\"two.example\"]\n"
           "[[destination]]\ndomains = [\"y.example\"]\ntls_min = \"1.3\"\n"
           "[[rule]]\nname = \"r\"\ndomains = [\"z.example\"]\nlogin = \"b\"\n"
           "smart_hosts = [\"three.example\"]\nimplicit_tls = true\n");
  EXPECT_EQ(config->defaults.peer.login, "a");
  EXPECT_EQ(config->destinations[0].settings.peer.login, "") << "other hosts: not the login of the defaults";
  EXPECT_EQ(config->destinations[1].settings.peer.login, "a");
  EXPECT_EQ(config->destinations[1].settings.peer.tls_min, TlsVersion::k13);
  EXPECT_EQ(config->rules[0].fields.login.value, "b");
  ASSERT_NE(config->login("b"), nullptr);
  EXPECT_EQ(config->login("b")->mechanism, LoginMechanism::kXoauth2);
}

TEST(Login, WhatIsWrong) {
  const std::string head = "[[login]]\nname = \"a\"\n", user = "user = \"u\"\n", file = "file = \"/a\"\n";
  EXPECT_EQ(login_problem(head + user + file), "");
  EXPECT_NE(login_problem(head + user).find("one of file, credential and command"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + "credential = \"c\"\n").find("one of"), std::string::npos);
  EXPECT_NE(login_problem(head + file).find("whose secret is it?"), std::string::npos);
  EXPECT_NE(login_problem(head + user + "password = \"x\"\n").find("password"), std::string::npos);
  EXPECT_NE(login_problem(head + user + "credential = \"../x\"\n").find("is not the name"),
            std::string::npos);
  EXPECT_NE(login_problem(head + user + "command = [\"token\"]\n").find("whole path"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + "key = \"/k\"\n").find("go together"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + head + user + file).find("another login"), std::string::npos);
  EXPECT_NE(login_problem(head + user + file + "[defaults]\nlogin = \"a\"\n").find("goes with smart_hosts"),
            std::string::npos);
  EXPECT_NE(login_problem("[defaults]\nsmart_hosts = [\"h.example\"]\nlogin = \"z\"\n").find("no [[login]]"),
            std::string::npos);
  EXPECT_NE(login_problem("[[rule]]\nname = \"r\"\ndomains = [\"d.example\"]\nlogin = \"z\"\n"
                          "smart_hosts = [\"h.example\"]\n")
                .find("no [[login]]"),
            std::string::npos);
}

TEST(Dkim, WhatIsWrong) {
  const std::string key = "[[dkim_key]]\ndomain = \"example.com\"\nselector = \"s\"\nfile = \"/k\"\n";
  EXPECT_EQ(
      dkim_problem("[[dkim_key]]\ndomain = \"example.com\"\nselector = \"s s\"\nfile = \"/k\"\n"),
      "t.toml:6:12: [[dkim_key]] selector: \"s s\" is not a selector: letters, digits, hyphens and dots\n");
  EXPECT_NE(dkim_problem("[[dkim_key]]\nselector = \"s\"\n").find("domain: is missing"), std::string::npos);
  EXPECT_NE(dkim_problem(key + key).find("\"s\" of example.com is there twice"), std::string::npos);
  EXPECT_NE(dkim_problem(key + "identity = \"@example.net\"\n").find("does not lie in example.com"),
            std::string::npos);
  EXPECT_EQ(dkim_problem(key + "identity = \"@news.example.com\"\n"), "");
  EXPECT_NE(dkim_problem(key + "headers = [\"From\", \"received\"]\n").find("must not be signed"),
            std::string::npos);
  EXPECT_NE(dkim_problem(key + "headers = [\"To\"]\noversign = []\n").find("\"From\" must be signed"),
            std::string::npos);
  EXPECT_NE(dkim_problem(key + "expire = \"5m\"\n").find("is too short"), std::string::npos);
  EXPECT_NE(dkim_problem("[dkim]\ndefault_domain = \"example.net\"\n" + key).find("there is no [[dkim_key]]"),
            std::string::npos);
  EXPECT_NE(dkim_problem("[dkim]\nengine = \"gpg\"\n").find("evp"), std::string::npos);
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

}  // namespace
}  // namespace conf
