// Runs the program as a person would, within the test.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "relay/cli/cli.h"

namespace relay::cli {

struct Outcome {
  int exit_code;
  std::string out, err;
};

inline Outcome command(std::vector<std::string> words) {
  words.insert(words.begin(), "penstock");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome{run(static_cast<int>(words.size()), argv.data()), "", ""};
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

}  // namespace relay::cli
