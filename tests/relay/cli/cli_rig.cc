#include "tests/relay/cli/cli_rig.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <utility>

#include "relay/cli/txt_lookup.h"
#include "relay/host/daemon.h"
#include "relay/intake/authenticator.h"

namespace relay {

// The daemon and crypt(3) stay out of this binary; these note what they were given.
std::string served_config;
int run_daemon(const std::string& config_path) {
  served_config = config_path;
  return 0;
}
std::string hash_secret(const std::string& secret) { return secret == "unhashable" ? "" : "$y$" + secret; }

std::map<std::string, std::string> known_texts;  // a name system for `penstock dkim`
conf::Result<std::vector<std::string>> look_up_txt(const std::string& name,
                                                   const std::vector<std::string>& servers) {
  if (servers == std::vector<std::string>{"192.0.2.1"})
    return conf::Error{conf::ErrorCode::kUnavailable, "no answer"};
  const auto found = known_texts.find(name);
  if (found == known_texts.end())
    return conf::Error{conf::ErrorCode::kNotFound, "there is no TXT record at " + name};
  return std::vector<std::string>{found->second};
}

namespace cli {

CliTest::CliTest() : backend_(&spool_) {
  settings_.socket = (folder_ / "admin.sock").string();
  type_in("");
  spool_.records[1] =
      admin::message(1, "news@shop.example", {admin::recipient("a@example.net", "4.7.1", "grey")});
  spool_.records[2] =
      admin::message(2, "", {admin::recipient("b@example.net"), admin::recipient("c@example.com")});
}

CliTest::~CliTest() {
  server_.reset();
  loop_.stop();
}

void CliTest::start() {
  auto opened = admin::AdminServer::open(settings_, &spool_, &backend_,
                                         [this](std::function<void()> work) { loop_.post(std::move(work)); });
  ASSERT_TRUE(opened.ok()) << opened.error().detail;
  server_ = std::move(opened).value();
}

void CliTest::type_in(const std::string& text) {
  std::ofstream(folder_ / "input") << text;
  ASSERT_NE(std::freopen((folder_ / "input").c_str(), "r", stdin), nullptr);
  std::cin.clear();
}

}  // namespace cli
}  // namespace relay
