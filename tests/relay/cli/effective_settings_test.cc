#include "relay/cli/effective_settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "relay/host/configuration.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr const char* kFile = R"(hostname = "relay.example.com"
[[listener]]
address = "127.0.0.1:25"
[[source]]
name = "tx"
[[source]]
name = "news"
[defaults]
max_connections = 30
validity = "3d"
[[destination]]
domains = ["gmail.com"]
max_connections = 40
max_recipients = 2
[[destination]]
domains = ["own.example"]
max_connections = 50
[[rule]]
name = "own"
domains = ["own.example"]
sources = "1"
max_connections = 60
validity = "1d"
)";

class EffectiveSettings : public testing::Test {
 protected:
  EffectiveSettings() : read(parse_configuration(kFile, "p.toml")), words(kFile) {}
  json ask(const std::string& domain, std::vector<std::string> hosts = {}, const std::string& source = "") {
    const conf::Result<json> told =
        effective_settings(*read.config, *read.book, words, {domain, std::move(hosts), source});
    return told.ok() ? told.value() : json{{"error", told.error().detail}};
  }
  // "VALUE at WHERE, over VALUE at WHERE"
  static std::string told(const json& path, const std::string& key) {
    for (const json& setting : path.at("settings")) {
      if (setting.at("key") != key) continue;
      std::string text =
          setting.at("value").get<std::string>() + " at " + setting.at("where").get<std::string>();
      for (const json& over : setting.at("over"))
        text +=
            ", over " + over.at("value").get<std::string>() + " at " + over.at("where").get<std::string>();
      return text;
    }
    return "no such key";
  }

  Configuration read;
  conf::ConfigWords words;
};

TEST_F(EffectiveSettings, ALocalRuleOverrulesDestinationAndDefaults) {
  ASSERT_NE(read.config, nullptr);
  const json paths = ask("own.example", {"mx.own.example"}).at("paths");
  ASSERT_EQ(paths.size(), 2U);  // the rule is for one of the sources
  EXPECT_EQ(paths[0].at("rule"), "own");
  EXPECT_EQ(
      told(paths[0], "max_connections"),
      "60 at p.toml:22 (rule own), over 50 at p.toml:17 ([[destination]] own.example), over 30 at p.toml:9 "
      "([defaults])");
  EXPECT_EQ(told(paths[0], "validity"), "1d at p.toml:23 (rule own), over \"3d\" at p.toml:10 ([defaults])");
  EXPECT_EQ(paths[1].at("source"), "news");
  EXPECT_EQ(told(paths[1], "max_connections").find("60"), std::string::npos);
}

TEST_F(EffectiveSettings, AShippedRuleOnlyMakesADestinationStricter) {
  const json paths = ask("gmail.com", {"gmail-smtp-in.l.google.com"}).at("paths");
  ASSERT_EQ(paths.size(), 1U);  // the same holds for both sources
  EXPECT_EQ(paths[0].at("source"), "tx, news");
  const std::string connections = told(paths[0], "max_connections");
  EXPECT_NE(connections.find("(rule google), over 40 at p.toml:13 ([[destination]] gmail.com), over 30"),
            std::string::npos)
      << connections;
  // Two are less than what the rule allows: the destination decides.
  const std::string recipients = told(paths[0], "max_recipients");
  EXPECT_EQ(recipients.find("2 at p.toml:14 ([[destination]] gmail.com)"), 0U) << recipients;
}

TEST_F(EffectiveSettings, WhatNobodySetsIsBuiltIn) {
  const json paths = ask("other.example", {"mx.other.example"}).at("paths");
  EXPECT_EQ(told(paths[0], "connect_timeout"), "30s at built in");
  EXPECT_EQ(told(paths[0], "validity"), "3d at p.toml:10 ([defaults])");
}

// Every value that a rule can have, those too that no other line implies.
TEST_F(EffectiveSettings, ShowsOneSiteSmoothAndWarmupHold) {
  const std::string text = effective_text(ask("far.example", {"aspmx.l.google.com"}, "tx"));
  EXPECT_NE(text.find("one_site                     true"), std::string::npos) << text;
  for (const char* key : {"smooth ", "warmup_hold "}) EXPECT_NE(text.find(key), std::string::npos) << text;
}

TEST_F(EffectiveSettings, WithoutHostsItSaysThatTheRuleDependsOnThem) {
  const json told = ask("gmail.com");
  EXPECT_EQ(told.at("paths")[0].at("depends_on_mx"), true);
  EXPECT_NE(effective_text(told).find("give them with --mx"), std::string::npos);
  // What is printed is a case that can be.
  EXPECT_NE(effective_text(told).find("At hosts that no other rule is for: rule general  ["),
            std::string::npos)
      << effective_text(told);
  EXPECT_EQ(ask("own.example", {"mx.own.example"}, "tx").at("paths")[0].at("depends_on_mx"), false);
  EXPECT_EQ(ask("gmail.com", {}, "none").at("error"), "no [[source]] is named \"none\"");
}

TEST(EffectiveSmartHosts, TheirNamesAreComparedWithTheMasksOnMxHosts) {
  const std::string file =
      "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n[defaults]\n"
      "smart_hosts = [\"relay.isp.example\"]\n[[rule]]\nname = \"g\"\ninherit = \"general\"\n"
      "mx = [\"*.google.com\"]\n[[rule]]\nname = \"isp\"\ninherit = \"general\"\nmx = [\"*.isp.example\"]\n";
  const Configuration read = parse_configuration(file, "p.toml");
  ASSERT_NE(read.config, nullptr);
  conf::Result<json> told = effective_settings(*read.config, *read.book, conf::ConfigWords(file),
                                               {"gmail.com", {"aspmx.l.google.com"}, ""});
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told->at("paths")[0].at("rule"), "isp") << "whatever hosts were given";
  EXPECT_NE(effective_text(*told).find("It goes by smart_hosts"), std::string::npos) << effective_text(*told);
}

}  // namespace
}  // namespace relay::cli
