// Texts of configuration, read as the daemon reads them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "relay/host/configuration.h"

namespace relay {

inline constexpr const char* kMinimal =
    "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n";

inline constexpr const char* kAlone =
    "hostname = \"relay.example.com\"\n[mx]\nshipped_rules = \"off\"\n[[listener]]\naddress = "
    "\"127.0.0.1:25\"\n";

inline std::string texts(const Configuration& configuration) {
  std::string out;
  for (const conf::Problem& problem : configuration.problems) out += problem.text() + "\n";
  return out;
}

inline Configuration good(const std::string& text) {
  Configuration read = parse_configuration(text, "p.toml");
  EXPECT_NE(read.config, nullptr) << texts(read);
  EXPECT_NE(read.book, nullptr) << texts(read);
  return read;
}

// What is said of the minimal configuration (three lines) with more behind it: all of it warnings.
inline std::string warnings(const std::string& rest) {
  const Configuration read = good(kMinimal + rest);
  for (const conf::Problem& problem : read.problems) EXPECT_TRUE(problem.warning) << problem.text();
  return texts(read);
}

inline bool warns(const std::string& rest, const std::string& wanted) {
  const std::string found = warnings(rest);
  if (found.find(wanted) != std::string::npos) return true;
  ADD_FAILURE() << rest << "\nsaid: " << found << "wanted: " << wanted;
  return false;
}

}  // namespace relay
