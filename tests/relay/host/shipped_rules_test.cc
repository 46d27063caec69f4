// The rules that come with the program.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "mx/rules/path_limits.h"
#include "tests/relay/host/configuration_rig.h"

namespace relay {
namespace {

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

}  // namespace
}  // namespace relay
