#include <gtest/gtest.h>

#include <string>

#include "tests/conf/config_rig.h"

namespace conf {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace conf
