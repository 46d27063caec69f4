// Texts of configuration: the shortest that is good, and what the parser says of one.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "conf/config_parser.h"

namespace conf {

inline constexpr const char* kMinimal =
    "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n";

inline std::string all_problems(const ParsedConfig& parsed) {
  std::string text;
  for (const Problem& problem : parsed.problems) text += problem.text() + "\n";
  return text;
}

inline ConfigPtr good(const std::string& text) {
  const ParsedConfig parsed = parse_config(text, "t.toml");
  EXPECT_NE(parsed.config, nullptr) << all_problems(parsed);
  return parsed.config;
}

}  // namespace conf
