// `penstock explain`.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/relay/cli/cli_rig.h"

namespace relay::cli {
namespace {

TEST_F(CliTest, ExplainsAnAddress) {
  backend_.explanations["example.net"] = admin::busy_explanation("mx.example.net", {"default"});
  start();
  const auto explain = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"explain", "--socket", settings_.socket});
    return command(std::move(words));
  };
  const Outcome told = explain({"User@example.net"});
  EXPECT_EQ(told.exit_code, kDone) << told.err;
  EXPECT_EQ(told.out.find("Mail to example.net waits: messages_per_hour, frees in 3 min 12 s.\n"), 0u)
      << told.out;
  const Outcome machine = explain({"example.net", "--json"});
  EXPECT_EQ(nlohmann::json::parse(machine.out).at("paths").size(), 1u);
  const Outcome nowhere = explain({"nowhere.example"});
  EXPECT_EQ(nowhere.exit_code, kFailed);
  EXPECT_EQ(nowhere.out.find("Mail to nowhere.example cannot go: no such domain.\n"), 0u) << nowhere.out;
  EXPECT_EQ(explain({"example.net", "--source", "none"}).exit_code, kFailed);
  EXPECT_EQ(explain({"a b@example.net"}).exit_code, kUsage);
  EXPECT_EQ(explain({}).exit_code, kUsage);
  EXPECT_EQ(explain({"example.net", "--message", conf::to_text(1)}).exit_code, kUsage);
}

TEST_F(CliTest, AnExplanationShowsTheCommonestTextsOfTheSite) {
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                        << "[replies]\ntable = \"replies.tsv\"\n";
  std::ofstream log(folder_ / "log");
  const auto refused = [&log](int times, const char* reply, const char* site) {
    for (int i = 0; i < times; ++i)
      log << R"({"reply_code":550,"reply":")" << reply << R"(","site":")" << site << "\"}\n";
  };
  refused(2, "5.1.1 User unknown", "mx.example.net");
  refused(3, "Klaatu barada nikto", "mx.example.net");
  refused(9, "5.7.1 Your IP is on our block list", "mx.elsewhere.example");
  log.close();
  ASSERT_EQ(command({"qualify", "-c", config, "learn", (folder_ / "log").string()}).exit_code, kDone);
  backend_.explanations["example.net"] = admin::busy_explanation("mx.example.net", {"default"});
  start();
  const auto explain = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"explain", "-c", config, "--socket", settings_.socket, "example.net"});
    return command(std::move(words)).out;
  };
  const std::string told = explain({});
  const size_t unread = told.find("Klaatu barada nikto"),
               unknown = told.find("User unknown, Hard, recipient");
  EXPECT_NE(unread, std::string::npos) << told;
  EXPECT_NE(unknown, std::string::npos) << told;
  EXPECT_LT(unread, unknown) << "the commonest first";
  EXPECT_EQ(told.find("block list"), std::string::npos) << "of another site";
  EXPECT_EQ(nlohmann::json::parse(explain({"--json"})).at("texts").at(0).at("count"), 3);
}

TEST_F(CliTest, ExplainsAMessage) {
  backend_.explanations["example.net"] = admin::busy_explanation("mx.example.net", {"default"});
  backend_.explanations["example.com"] = admin::busy_explanation("mx.example.com", {"default"});
  spool_.records[2].recipients[0].due = conf::from_unix_micros(0);
  start();
  const auto explain = [&](const std::string& id, std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"explain", "--socket", settings_.socket, "--message", id});
    return command(std::move(words));
  };
  const Outcome told = explain(conf::to_text(2));
  EXPECT_EQ(told.exit_code, kDone) << told.err;
  EXPECT_EQ(told.out.find("Mail to example.net waits: messages_per_hour, frees in 3 min 12 s.\n"
                          "Mail to example.com waits for its next attempt in "),
            0u)
      << told.out;
  EXPECT_NE(told.out.find("<c@example.com> pending"), std::string::npos) << told.out;
  const Outcome machine = explain(conf::to_text(2), {"--json"});
  EXPECT_EQ(nlohmann::json::parse(machine.out).at("explained").size(), 2u);
  EXPECT_EQ(explain(conf::to_text(99)).exit_code, kFailed);
  EXPECT_EQ(explain("no/id").exit_code, kUsage);
}

TEST_F(CliTest, TheStatusOfAnExplainedMessageIsThatOfAllItsDomains) {
  start();
  for (const char* reached : {"example.net", "example.com"}) {
    backend_.explanations.clear();
    backend_.explanations[reached] = admin::busy_explanation("mx.example", {"default"});
    EXPECT_EQ(command({"explain", "--socket", settings_.socket, "--message", conf::to_text(2)}).exit_code,
              kFailed)
        << "only " << reached << " can be reached";
  }
}

TEST_F(CliTest, ExplainsByTheConfigurationAlone) {
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                        << "[[rule]]\nname = \"parent\"\nrate = \"100/min\"\n"
                        << "[[rule]]\nname = \"net\"\ninherit = \"parent\"\nmx = [\"*.example.net\"]\n"
                        << "messages_per_hour = 10000\n"
                        << "[[rule.threshold]]\nerror_rate = \"50%\"\nmin_messages = 100\n";
  const auto explain = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"explain", "-c", config, "--offline"});
    return command(std::move(words));
  };
  const Outcome told = explain({"User@Example.com", "--mx", "MX1.example.net"});
  EXPECT_EQ(told.exit_code, kDone) << told.err;
  for (const std::string& part :
       {std::string("for mail to example.com at MX1.example.net:\n"), "rule       net  [" + config + ":7]\n",
        config + ":11 (rule net)\n", config + ":6 (rule parent)\n",
        std::string("error_rate = \"50%\", min_messages = 100")})
    EXPECT_NE(told.out.find(part), std::string::npos) << part << "\n" << told.out;
  const nlohmann::json machine =
      nlohmann::json::parse(explain({"example.com", "--mx", "mx1.example.net", "--json"}).out);
  bool found = false;
  for (const nlohmann::json& limit : machine.at("paths").at(0).at("limits"))
    found = found || (limit.at("key") == "messages_per_hour" && limit.at("value") == "10000");
  EXPECT_TRUE(found) << machine.dump();
  EXPECT_EQ(explain({"example.com"}).exit_code, kUsage);
  EXPECT_EQ(explain({"a b", "--mx", "x"}).exit_code, kUsage);
  EXPECT_EQ(explain({"example.com", "--mx", "x", "--source", "none"}).exit_code, kUsage);
  EXPECT_EQ(command({"explain", "example.com", "--mx", "x"}).exit_code, kUsage);
}

}  // namespace
}  // namespace relay::cli
