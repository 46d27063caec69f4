#include "relay/cli/all_settings.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace relay::cli {
namespace {

constexpr const char* kFile = R"(hostname = "relay.example.com"
[[listener]]
address = "127.0.0.1:25"
max_recipients = 200
[[listener]]
address = "127.0.0.1:587"
[spool]
durability = "relaxed"
[quarantine]
action = "log"
[defaults]
validity = "3d"
[[destination]]
domains = ["gmail.com"]
max_connections = 40
[[user]]
name = "shop"
secret = "$y$j9T$salt$hash"
[[rule]]
name = "isp"
mx = ["*.isp.example"]
[[rule.threshold]]
error_rate = "50%"
)";

// "VALUE at WHERE", by table and key.
std::map<std::string, std::string> told() {
  std::map<std::string, std::string> rows;
  const conf::ConfigWords words(kFile);
  for (const nlohmann::json& row : all_settings("p.toml", kFile, words)) {
    const std::string key = row.at("table").get<std::string>() + ' ' + row.at("key").get<std::string>();
    EXPECT_EQ(rows.count(key), 0U) << key << " is there twice";
    rows[key] = row.at("value").get<std::string>() + " at " + row.at("where").get<std::string>();
  }
  return rows;
}

TEST(AllSettings, EveryKeyHasItsValueAndItsPlace) {
  std::map<std::string, std::string> rows = told();
  EXPECT_EQ(rows[" hostname"], "\"relay.example.com\" at p.toml:1");
  EXPECT_EQ(rows["[spool] durability"], "\"relaxed\" at p.toml:8");
  EXPECT_EQ(rows["[spool] path"], "\"/var/lib/penstock/spool\" at built in");
  EXPECT_EQ(rows["[dns] ipv6"], "true at built in");
  EXPECT_EQ(rows["[admin] socket"], "\"/run/penstock/admin.sock\" at built in");
  EXPECT_EQ(rows["[[listener]] of line 2 max_recipients"], "200 at p.toml:4");
  EXPECT_EQ(rows["[[listener]] of line 5 bare_newline"], "\"refuse\" at built in");
  EXPECT_EQ(rows["[defaults] schedule"], "[\"5 x 1h\", \"4 x 1d\"] at built in");
  EXPECT_EQ(rows["[defaults] first_tries greylisting"],
            "[\"5min\", \"10min\", \"20min\", \"40min\"] at built in");
  EXPECT_EQ(rows["[defaults] tls"], "\"opportunistic\" at built in");
  EXPECT_GT(rows.size(), 150U);
}

TEST(AllSettings, WhatOneTableLendsToAnotherIsSaid) {
  std::map<std::string, std::string> rows = told();
  EXPECT_EQ(rows["[[destination]] of line 13 validity"], "\"3d\" at p.toml:12 ([defaults] validity)");
  EXPECT_EQ(rows["[[destination]] of line 13 max_connections"], "40 at p.toml:15");
  EXPECT_EQ(rows["[[listener]] of line 2 quarantine"], "\"log\" at p.toml:10 ([quarantine] action)");
}

TEST(AllSettings, RulesAreThereAsTheyAreWrittenAndSecretsAreNot) {
  std::map<std::string, std::string> rows = told();
  EXPECT_EQ(rows["[[rule]] isp mx"], "[ \"*.isp.example\" ] at p.toml:21");
  EXPECT_EQ(rows.count("[[rule]] isp max_connections"), 0U);
  for (const auto& [key, value] : rows) EXPECT_EQ(value.find("salt"), std::string::npos) << key;
}

}  // namespace
}  // namespace relay::cli
