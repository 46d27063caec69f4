#include "relay/uv/program.h"

#include <gtest/gtest.h>

#include "relay/uv/loop_state.h"

namespace relay::uv {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

std::string run(const std::vector<std::string>& command, conf::Duration timeout = 10s) {
  Loop loop;
  std::string answer = "nothing";
  run_program(&loop, command, timeout, [&](conf::Result<std::string> outcome) {
    answer = outcome.ok() ? *outcome : "! " + outcome.error().detail;
    loop.stop();
  });
  loop.on_timer([&loop](conf::Instant) { loop.stop(); });
  loop.set_timer(loop.now() + 20s);
  if (answer == "nothing") loop.run();
  return answer;
}

TEST(Program, WhatItPrintsAndHowItEnds) {
  EXPECT_EQ(run({"/bin/echo", "a", "b c"}), "a b c\n");
  EXPECT_EQ(run({"/bin/sh", "-c", "exit 3"}), "! ended with status 3");
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"}), "! ended by signal 9");
  EXPECT_EQ(run({"/nowhere/at/all"}), "! cannot be started: no such file or directory");
  EXPECT_EQ(run({"/bin/sh", "-c", "cat; echo done"}), "done\n") << "its input is empty";
  EXPECT_EQ(run({"/bin/sh", "-c", "env | grep -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL=; true"}), "")
      << "our environment is not for it";
}

TEST(Program, ItIsKilledWhenItTakesOrPrintsTooMuch) {
  const conf::SystemClock clock;
  const conf::Instant began = clock.now();
  EXPECT_EQ(run({"/bin/sleep", "15"}, 200ms), "! did not end in time");
  EXPECT_EQ(run({"/bin/sh", "-c", "sleep 15"}, 200ms), "! did not end in time");
  EXPECT_EQ(run({"/bin/sh", "-c", "while :; do echo xxxxxxxxxxxxxxxx; done"}), "! printed more than 64 KB");
  EXPECT_LT(clock.now() - began, 10s);
}

}  // namespace
}  // namespace relay::uv
