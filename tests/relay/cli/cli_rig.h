// A command line before a relay that is not there: its answers are given, and what it was asked is noted.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/admin/admin_server.h"
#include "tests/relay/admin/fake_relay.h"
#include "tests/relay/admin/records.h"
#include "tests/relay/cli/command_rig.h"
#include "tests/temporary_folder.h"

namespace relay {

extern std::string served_config;                       // the daemon was given
extern std::map<std::string, std::string> known_texts;  // a name system for `penstock dkim`

namespace cli {

namespace fs = std::filesystem;

class CliTest : public testing::Test {
 protected:
  CliTest();
  ~CliTest() override;
  void start();
  // What the next command reads from its standard input, which is no terminal.
  void type_in(const std::string& text);
  Outcome queue(std::vector<std::string> words) {
    words.insert(words.begin(), {"queue", "--socket", settings_.socket});
    return command(std::move(words));
  }

  TemporaryFolder folder_;
  conf::AdminSettings settings_;
  admin::FakeSpool spool_;
  admin::FakeBackend backend_;
  admin::FakeLoop loop_;
  std::unique_ptr<admin::AdminServer> server_;
};

}  // namespace cli
}  // namespace relay
