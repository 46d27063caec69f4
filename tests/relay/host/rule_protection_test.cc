#include "relay/host/rule_protection.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/relay/host/configuration_rig.h"

namespace relay {
namespace {

std::string rule(const std::string& name, const std::string& keys) {
  return "[[rule]]\nname = \"" + name + "\"\n" + keys + "\n";
}

TEST(RuleProtection, AnOwnRuleOnAShippedProviderLosesIt) {
  EXPECT_TRUE(warns(rule("isp", "mx = [\"*.google.com\"]\nmax_connections = 40"),
                    "p.toml:4:1: warning: rule \"isp\" takes mail from the shipped rule \"google\" "
                    "(rules.toml (shipped):31:1) without its protection: no threshold blocks, and its sites "
                    "are counted apart (one_site); add inherit = \"google\""));
  EXPECT_TRUE(warns(rule("isp", "mx = [\"aspmx.l.google.com\"]"), "add inherit = \"google\""));
  EXPECT_TRUE(warns(rule("all", "mx = [\"*\"]\nmax_connections = 5"), "the shipped rule \"general\""));
}

TEST(RuleProtection, ADomainMaskMeetsProvidersToo) {
  EXPECT_TRUE(warns(rule("fast", "domains = [\"*\"]\nmax_connections = 50"),
                    "p.toml:4:1: warning: rule \"fast\" can take mail from the shipped rules \"google\" "
                    "(rules.toml (shipped):31:1), \"microsoft-consumer\""));
  EXPECT_TRUE(
      warns(rule("fast", "domains = [\"gmail.com\"]\nmax_connections = 50"),
            "rule \"fast\" can take mail from the shipped rule \"google\" (rules.toml (shipped):31:1) "
            "without its protection: no threshold blocks, and its sites are counted apart (one_site)"));
  // Where a single domain leads is not known; a threshold is lost wherever that is.
  EXPECT_TRUE(warns(rule("one", "domains = [\"customer.example\"]\nmax_connections = 50"),
                    "without its protection: no threshold blocks; add inherit = \"base\", or say"));
}

TEST(RuleProtection, TheGeneralThresholdIsNotWhatAProviderHad) {
  EXPECT_TRUE(warns(rule("new", "domains = [\"*\"]\ninherit = \"general\""),
                    "of 2 thresholds 1 is left, of rule \"general\""));
}

TEST(RuleProtection, AHostOfNoProviderLosesTheGeneralThreshold) {
  EXPECT_TRUE(warns(rule("isp", "mx = [\"*.isp.example\"]\nmax_connections = 9"),
                    "rule \"isp\" takes mail from the shipped rule \"general\" (rules.toml (shipped):445:1) "
                    "without its protection: no threshold blocks; add inherit = \"general\""));
}

TEST(RuleProtection, TheCureIsOneThatCheckAccepts) {
  for (const char* keys : {
           "mx = [\"*.google.com\"]\ninherit = \"google\"\nmax_connections = 9",
           "mx = [\"*.google.com\"]\nthreshold = \"unset\"\none_site = false",
           "mx = [\"*\"]\n[[rule.threshold]]\nmin_messages = 100",
           "mx = [\"*\"]\ninherit = \"general\"",
           "mx = [\"*.isp.example\"]\ninherit = \"general\"",
           "mx = [\"*.isp.example\"]\nthreshold = \"unset\"",
           "domains = [\"*\"]\ninherit = \"base\"\none_site = false",
           "domains = [\"gmail.com\"]\ninherit = \"google\"",
           "domains = [\"customer.example\"]\ninherit = \"base\"",
           "domains = [\"customer.example\"]\ninherit = \"general\"",
           "domains = [\"customer.example\"]\nsmart_hosts = [\"smtp.cloud.example:587\"]",
       }) {
    EXPECT_EQ(warnings(rule("r", keys)), "") << keys;
  }
}

// An earlier rule of one's own took the provider from the same sources.
TEST(RuleProtection, WhatIsTakenAlreadyCannotBeLost) {
  const std::string google =
      rule("g", "mx = [\"*.google.com\", \"*.googlemail.com\"]\nsources = \"1\"\ninherit = \"google\"");
  const std::string rest = rule("rest", "mx = [\"*\"]\nsources = \"1\"\nmax_connections = 2");
  EXPECT_TRUE(warns(rest, "\"google\""));
  EXPECT_EQ(warnings(google + rest).find("\"google\""), std::string::npos);
}

TEST(RuleProtection, OfARuleThatCanNeverMatchOnlyThatIsSaid) {
  const std::string found = warnings(rule("all", "mx = [\"*.isp.example\"]\ninherit = \"general\"") +
                                     rule("late", "mx = [\"*.mx.isp.example\"]\nmax_connections = 9"));
  EXPECT_NE(found.find("rule \"late\" can never match"), std::string::npos) << found;
  EXPECT_EQ(found.find("without its protection"), std::string::npos) << found;
}

TEST(RuleProtection, ALimitUnderWhichAnInheritedThresholdCannotBlock) {
  EXPECT_TRUE(
      warns(rule("isp", "mx = [\"*.google.com\"]\ninherit = \"google\"\nmessages_per_hour = 90"),
            "p.toml:8:21: warning: messages_per_hour = 90 of rule \"isp\" lets fewer go within the window "
            "than min_messages = 300 of the inherited threshold at rules.toml (shipped):14:1"));
  EXPECT_TRUE(warns(rule("isp", "mx = [\"*.isp.example\"]\ninherit = \"general\"\nrate = \"1/min\""),
                    "p.toml:8:8: warning: the rate of rule \"isp\" lets fewer go"));
  EXPECT_EQ(warnings(rule("isp",
                          "mx = [\"*.google.com\"]\ninherit = \"google\"\nmessages_per_hour = 90\n"
                          "[[rule.threshold]]\nmin_messages = 50")),
            "");
}

constexpr const char* kNewSource = "[[source]]\nname = \"new\"\nid = 9\nwarmup = true\n";

TEST(Ladders, AndSourcesNeedEachOther) {
  EXPECT_TRUE(warns(kNewSource, "no rule has a ladder"));
  EXPECT_TRUE(
      warns(rule("g", "mx = [\"*.isp.example\"]\ninherit = \"general\"\nwarmup = [50, 100]"),
            "p.toml:8:10: warning: the ladder of rule \"g\" holds for sources with warmup = true only"));
}

TEST(Ladders, ANewSourceIsToldWhereItWouldSendAtFullSpeed) {
  // The general case stands behind the rules of the providers.
  EXPECT_TRUE(warns(kNewSource + rule("gentle", "mx = [\"*\"]\ninherit = \"general\"\nwarmup = [50, 100]"),
                    "p.toml:12:10: warning: source \"new\" warms up, but the rules \"google\" "
                    "(rules.toml (shipped):31:1), "));
  EXPECT_TRUE(
      warns(kNewSource + rule("isp", "mx = [\"*.isp.example\"]\ninherit = \"general\"\nwarmup = [50, 100]"),
            "have no ladder: there it sends at full speed; a rule with mx = [\"*\"], sources = \"9\""));
  const std::string cure =
      "mx = [\"*\"]\nsources = \"9\"\ninherit = \"base\"\none_site = false\nwarmup = [50, 100]";
  EXPECT_EQ(warnings(kNewSource + rule("gentle", cure)), "");
  EXPECT_TRUE(warns(
      kNewSource + rule("late", "mx = [\"*.isp.example\"]\ninherit = \"general\"") + rule("gentle", cure),
      "source \"new\" warms up, but rule \"late\" (p.toml:8:1) has no ladder"));
  EXPECT_EQ(warnings(kNewSource +
                     rule("late", "mx = [\"*.isp.example\"]\ninherit = \"general\"\nwarmup = \"unset\"") +
                     rule("gentle", cure)),
            "");
}

}  // namespace
}  // namespace relay
