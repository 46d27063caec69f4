#include "relay/cli/cli.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "bounce/diagnostic.h"
#include "bounce/ledger/sqlite_ledger.h"
#include "bounce/qualification_table.h"
#include "relay/admin/admin_server.h"
#include "relay/cli/txt_lookup.h"
#include "relay/host/daemon.h"
#include "relay/host/text_table_file.h"
#include "relay/intake/authenticator.h"
#include "tests/relay/admin/fake_relay.h"
#include "tests/relay/admin/records.h"
#include "tests/relay/cli/command_rig.h"

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
namespace {

namespace fs = std::filesystem;

class CliTest : public testing::Test {
 protected:
  CliTest() : backend_(&spool_) {
    std::string pattern = (fs::temp_directory_path() / "penstock-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    settings_.socket = (folder_ / "admin.sock").string();
    type_in("");
    spool_.records[1] =
        admin::message(1, "news@shop.example", {admin::recipient("a@example.net", "4.7.1", "grey")});
    spool_.records[2] =
        admin::message(2, "", {admin::recipient("b@example.net"), admin::recipient("c@example.com")});
  }
  ~CliTest() override {
    server_.reset();
    loop_.stop();
    fs::remove_all(folder_);
  }
  void start() {
    auto opened = admin::AdminServer::open(
        settings_, &spool_, &backend_, [this](std::function<void()> work) { loop_.post(std::move(work)); });
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    server_ = std::move(opened).value();
  }
  // What the next command reads from its standard input, which is no terminal.
  void type_in(const std::string& text) {
    std::ofstream(folder_ / "input") << text;
    ASSERT_NE(std::freopen((folder_ / "input").c_str(), "r", stdin), nullptr);
    std::cin.clear();
  }
  Outcome queue(std::vector<std::string> words) {
    words.insert(words.begin(), {"queue", "--socket", settings_.socket});
    return command(std::move(words));
  }

  fs::path folder_;
  conf::AdminSettings settings_;
  admin::FakeSpool spool_;
  admin::FakeBackend backend_;
  admin::FakeLoop loop_;
  std::unique_ptr<admin::AdminServer> server_;
};

// What a text means is changed: the past says first how much of it is meant, follows, and comes back.
TEST_F(CliTest, ThePastFollowsADecisionAndComesBack) {
  const std::string table = (folder_ / "replies.tsv").string(), ledger = (folder_ / "ledger.db").string();
  const auto qualify = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"qualify", "-c", "/nonexistent", "--table", table, "--ledger", ledger,
                                 "--socket", settings_.socket});
    return command(std::move(words));
  };
  const std::string text = "Klaatu barada nikto";
  std::ofstream(folder_ / "log") << R"({"reply_code":550,"reply":")" << text << R"(","site":"mx.x.example"})"
                                 << "\n";
  spool_.records[1].recipients[0].reply_code = 550;
  spool_.records[1].recipients[0].last_reply = text;
  start();
  ASSERT_EQ(qualify({"learn", (folder_ / "log").string()}).exit_code, kDone);
  {
    std::string warning;
    auto opened = bounce::SqliteLedger::open(ledger, conf::SystemClock().wall(), &warning);
    ASSERT_TRUE(opened.ok());
    bounce::LedgerBatch batch;
    bounce::AddressSignal& signal = batch.signals.emplace_back();
    signal.address = "kim@x.example";
    signal.event.at = conf::SystemClock().wall();
    signal.event.type = conf::ErrorType::kHard;
    signal.event.reason = 1;
    signal.text = "550 " + text;
    ASSERT_TRUE(opened.value()->apply(batch, {}).ok());
  }
  const std::vector<std::string> set = {"set", "550 " + text, "--reason", "refused", "--scope", "sender"};
  Outcome outcome = qualify(set);
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_NE(outcome.out.find("would relabel 1 row with 1 past replies"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("would relabel 1 queued messages"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("would relabel 1 addresses: 1 leave"), std::string::npos) << outcome.out;
  const auto shown = [&] {
    return command({"quarantine", "-c", "/nonexistent", "--ledger", ledger, "list"}).out;
  };
  EXPECT_NE(shown().find("kim@x.example"), std::string::npos) << "it was only said";
  std::vector<std::string> done = set;
  done.push_back("--apply-to-past");
  outcome = qualify(done);
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_EQ(shown().find("kim@x.example"), std::string::npos) << outcome.out;
  EXPECT_NE(qualify({"list"}).out.find("Refused"), std::string::npos);
  outcome = qualify({"undo"});
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_NE(shown().find("kim@x.example"), std::string::npos) << outcome.out;
  EXPECT_EQ(qualify({"list"}).out.find("Refused"), std::string::npos);
  EXPECT_EQ(qualify({"undo"}).exit_code, kFailed) << "it was taken back already";
}

TEST_F(CliTest, ATextWasSeenOnADayThatPeopleCanRead) {
  bounce::QualificationTable table;
  const std::string text = "550 5.7.1 not with us", file = (folder_ / "replies.tsv").string();
  table.note(text, bounce::read_diagnostic(text), "mx.example", {},
             conf::from_unix_micros(1'700'000'000'000'000));
  ASSERT_TRUE(write_text_table(file, table).ok());
  const Outcome shown = command({"qualify", "--table", file, "show", text});
  EXPECT_EQ(shown.exit_code, kDone) << shown.err;
  EXPECT_NE(shown.out.find("first seen  2023-11-14 22:13:20 UTC\nlast seen   2023-11-14 22:13:20 UTC\n"),
            std::string::npos)
      << shown.out;
  EXPECT_NE(command({"qualify", "--table", file, "list", "--status", "ignore"}).err.find("no such text"),
            std::string::npos);
}

TEST_F(CliTest, ExitCodesOfUsage) {
  struct Case {
    std::vector<std::string> words;
    int exit_code;
  };
  const Case cases[] = {
      {{}, kUsage},
      {{"--help"}, kDone},
      {{"queue", "--help"}, kDone},
      {{"queue", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"--version"}, kDone},
      {{"-v"}, kDone},
      {{"nonsense"}, kUsage},
      {{"version"}, kDone},
      {{"version", "extra"}, kUsage},
      {{"check", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"queue", "summary", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"queue", "--socket", "/nonexistent/admin.sock", "summary"}, kFailed},
      {{"queue", "list", "--limit", "0"}, kUsage},
      {{"spool"}, kUsage},
      {{"spool", "check", "--path", "/nonexistent/spool"}, kFailed},
      {{"spool", "repair", "--path", "/nonexistent/spool"}, kFailed},
      {{"queue", "show"}, kUsage},
      {{"queue", "drop"}, kUsage},
      {{"queue", "drop", "--all", "--domain", "example.net"}, kUsage},
  };
  for (const Case& c : cases) {
    const Outcome outcome = command(c.words);
    std::string line;
    for (const std::string& word : c.words) line += " " + word;
    EXPECT_EQ(outcome.exit_code, c.exit_code) << line << "\n" << outcome.err;
    EXPECT_FALSE((c.exit_code == kDone ? outcome.out : outcome.err).empty()) << line;
  }
}

TEST_F(CliTest, AnUnknownCommandNamesTheRightOne) {
  struct Case {
    std::vector<std::string> words;
    const char* message;
  };
  const Case cases[] = {
      {{"mailq"}, "penstock: there is no command \"mailq\"; you may want: penstock queue list\n"},
      {{"queue", "ls"}, "penstock queue: there is no command \"ls\"; you may want: penstock queue list\n"},
      {{"-c", "x.toml", "quue"},
       "penstock: there is no command \"quue\"; did you mean \"penstock queue\"?\n"},
      {{"queue", "--json", "lst"},
       "penstock queue: there is no command \"lst\"; did you mean \"penstock queue list\"?\n"},
      {{"unblock"}, "penstock: there is no command \"unblock\"; you may want: penstock mx unblock\n"},
      {{"bounce"}, "penstock: there is no command \"bounce\"; you may want: penstock queue fail\n"},
      {{"queue", "list", "--older", "5m"},
       "penstock queue list: there is no option \"--older\"; did you mean \"--older-than\"?\n"},
      {{"queue", "list", "--limt=5"},
       "penstock queue list: there is no option \"--limt\"; did you mean \"--limit\"?\n"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = command(c.words);
    EXPECT_EQ(outcome.exit_code, kUsage) << c.message;
    EXPECT_EQ(outcome.err, c.message);
  }
}

// On the machine where the file is checked, which need not be the one that it is for.
TEST_F(CliTest, CheckWarnsOfASourceOfAnotherMachine) {
  const fs::path file = folder_ / "sources.toml";
  std::ofstream(file) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                         "[[source]]\nname = \"here\"\naddress = \"127.0.0.1\"\n"
                         "[[source]]\nname = \"tx\"\naddress = \"203.0.113.9\"\n";
  const Outcome outcome = command({"-c", file.string(), "check"});
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_EQ(outcome.err,
            file.string() +
                ":9:1: warning: [[source]] \"tx\" address: 203.0.113.9 is not an address of this "
                "machine: nothing can be sent from it\n");
  EXPECT_NE(
      outcome.out.find("good (1 listener, 2 sources, 0 destinations, 0 users, 0 DKIM keys, 0 rules and "),
      std::string::npos)
      << outcome.out;
}

TEST_F(CliTest, QueueAloneIsTheSummary) {
  start();
  const Outcome alone = queue({});
  EXPECT_EQ(alone.exit_code, kDone) << alone.err;
  EXPECT_EQ(alone.out, queue({"summary"}).out);
  EXPECT_FALSE(alone.out.empty());
}

TEST_F(CliTest, ServeHandsTheConfigurationToTheDaemon) {
  EXPECT_EQ(command({"serve"}).exit_code, 0);
  EXPECT_EQ(served_config, "/etc/penstock/penstock.toml");
  EXPECT_EQ(command({"serve", "--config", "/srv/other.toml"}).exit_code, 0);
  EXPECT_EQ(served_config, "/srv/other.toml");
}

TEST_F(CliTest, HashPasswordReadsOneLine) {
  type_in("open sesame\nmore\n");
  const Outcome good = command({"hash-password"});
  EXPECT_EQ(good.exit_code, kDone);
  EXPECT_EQ(good.out, "$y$open sesame\n");
  type_in("\n");
  EXPECT_EQ(command({"hash-password"}).exit_code, kUsage);
  type_in(std::string("a\0b\n", 4));
  EXPECT_EQ(command({"hash-password"}).exit_code, kUsage);
  type_in("unhashable\n");
  EXPECT_EQ(command({"hash-password"}).exit_code, kFailed);
}

TEST_F(CliTest, ListAndShow) {
  start();
  const Outcome all = queue({"list"});
  EXPECT_EQ(all.exit_code, kDone) << all.err;
  EXPECT_NE(all.out.find("news@shop.example -> a@example.net"), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("<> -> b@example.net"), std::string::npos) << all.out;
  const Outcome some = queue({"list", "--sender", "<>", "--domain", "*.com", "--json"});
  EXPECT_EQ(nlohmann::json::parse(some.out).at("messages").size(), 1u);
  const Outcome one = queue({"show", conf::to_text(2)});
  EXPECT_NE(one.out.find("<c@example.com> pending"), std::string::npos) << one.out;
  EXPECT_EQ(queue({"show", conf::to_text(99)}).exit_code, kFailed);
  EXPECT_EQ(queue({"show", "not/an&id"}).exit_code, kUsage);
  EXPECT_EQ(queue({"list", "--older-than", "soon"}).exit_code, kUsage);
}

TEST_F(CliTest, ActionsSayHowMany) {
  start();
  const Outcome held = queue({"hold", conf::to_text(1), conf::to_text(99)});
  EXPECT_EQ(held.exit_code, kFailed) << "one of the two is not there";
  EXPECT_EQ(held.out, "hold: 1 of 1 message.\n");
  EXPECT_NE(held.err.find(conf::to_text(99) + " is not in the queue"), std::string::npos) << held.err;
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].first, admin::QueueAction::kHold);
  EXPECT_EQ(queue({"retry", "--all", "--dry-run"}).out, "2 messages match.\n");
  EXPECT_EQ(backend_.applied.size(), 1u);
}

TEST_F(CliTest, AnOrderThatTakesNothingNamesWhatMayHaveBeenMeant) {
  start();
  const Outcome held = queue({"hold", "--domain", "exmaple.net"});
  EXPECT_EQ(held.out, "hold: 0 of 0 messages.\n");
  EXPECT_NE(held.err.find("no mail is queued for \"exmaple.net\"; did you mean \"example.net\"?\n"),
            std::string::npos)
      << held.err;
  EXPECT_EQ(queue({"list", "--sender", "news@shop.exampel"}).out,
            "No message matches: no mail is queued from \"news@shop.exampel\"; did you mean "
            "\"news@shop.example\"?\n");
  EXPECT_EQ(queue({"list", "--domain", "*.nowhere.test"}).out, "No message matches.\n");
  EXPECT_EQ(queue({"list", "--domain", "example.net", "--reason", "nosuch"}).out, "No message matches.\n");
}

TEST_F(CliTest, DropWantsYes) {
  start();
  const Outcome asked = queue({"drop", "--domain", "example.net"});
  EXPECT_EQ(asked.exit_code, kFailed);
  EXPECT_NE(asked.err.find("1 message matches; nothing is dropped without --yes"), std::string::npos)
      << asked.err;
  EXPECT_TRUE(backend_.applied.empty());
  const Outcome done = queue({"drop", "--domain", "example.net", "--yes"});
  EXPECT_EQ(done.exit_code, kDone) << done.err;
  EXPECT_EQ(done.out, "drop: 1 of 1 message.\n");
  EXPECT_NE(done.err.find("1 more has other pending recipients"), std::string::npos) << done.err;
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].second, std::vector<conf::MessageId>{1});
  const Outcome none = queue({"drop", "--domain", "nowhere.example"});
  EXPECT_EQ(none.exit_code, kDone);
  EXPECT_EQ(none.out, "0 messages match.\n");
}

TEST_F(CliTest, DropOfAllTakesOnlyWhatWasCounted) {
  start();
  EXPECT_EQ(queue({"drop", "--all", "--yes"}).exit_code, kDone);
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].second, (std::vector<conf::MessageId>{1, 2}));
}

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

TEST_F(CliTest, AnOrderToAMessageThatIsNotQueuedFailsAndSaysSo) {
  start();
  const std::string unknown = conf::to_text(99), known = conf::to_text(1);
  for (const char* order : {"retry", "hold", "release", "drop", "fail"}) {
    const Outcome told = queue({order, unknown, "--yes"});
    EXPECT_EQ(told.exit_code, kFailed) << order;
    EXPECT_NE(told.err.find("this message is not in the queue: " + unknown), std::string::npos) << told.err;
  }
  EXPECT_TRUE(backend_.applied.empty());
  const Outcome counted = queue({"drop", unknown, known, "--dry-run"});
  EXPECT_EQ(counted.exit_code, kFailed);
  EXPECT_EQ(counted.out, "1 message matches.\n");
  EXPECT_NE(counted.err.find(unknown + " is not in the queue\n"), std::string::npos) << counted.err;
  const Outcome some = queue({"hold", unknown, known});
  EXPECT_EQ(some.exit_code, kFailed);
  EXPECT_EQ(some.out, "hold: 1 of 1 message.\n") << "the others are done";
  EXPECT_EQ(some.err.find(unknown), some.err.rfind(unknown)) << "said once: " << some.err;
  ASSERT_EQ(backend_.applied.size(), 1U);
  EXPECT_EQ(backend_.applied[0].second, std::vector<conf::MessageId>{1});
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

TEST_F(CliTest, MxShowsAndOrders) {
  backend_.explanations["example.net"] = admin::busy_explanation("mx.example.net", {"default"});
  backend_.all_paths = {admin::busy_path("mx.example.net", "default")};
  backend_.current.limiter = {1, 0, 0, 12};
  backend_.order_done.paths = 1;
  backend_.order_done.names = {"mx.example.net from default"};
  start();
  const auto mx = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"mx", "--socket", settings_.socket});
    return command(std::move(words));
  };
  const Outcome status = mx({"status"});
  EXPECT_EQ(
      status.out.find("1 path blocked, 0 probing, 0 on a ramp; 12 ready deliveries wait behind a block\n"),
      0u)
      << status.out;
  EXPECT_NE(mx({"show", "--rule", "gmail"}).out.find("From default (source 1) to mx.example.net: waits"),
            std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(mx({"show", "example.net", "--json"}).out).at("paths").size(), 1u);
  EXPECT_NE(mx({"show", "--site", "mx.exmaple.net"}).err.find("did you mean \"mx.example.net\"?"),
            std::string::npos);
  const Outcome blocked = mx({"block", "example.net", "--for", "3h", "--why", "their call"});
  EXPECT_EQ(blocked.exit_code, kDone) << blocked.err;
  EXPECT_EQ(blocked.out, "block: 1 path.\n  mx.example.net from default\n");
  ASSERT_EQ(backend_.given.size(), 1u);
  EXPECT_EQ(backend_.given[0].domain, "example.net");
  EXPECT_EQ(backend_.given[0].why, "their call");
  EXPECT_EQ(mx({"unblock", "--site", "mx.*", "--source", "default"}).exit_code, kDone);
  EXPECT_EQ(backend_.given[1].action, admin::MxAction::kUnblock);
  EXPECT_EQ(mx({"reset", "--rule", "gmail", "--json"}).exit_code, kDone);
  EXPECT_EQ(backend_.given[2].action, admin::MxAction::kReset);
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"block"},
                                             {"block", "a.example", "--rule", "x"},
                                             {"block", "example.net", "--for", "soon"},
                                             {"unblock", "example.net", "--for", "3h"},
                                             {"show", "a b"},
                                             {"status", "--limit", "0"},
                                             {}})
    EXPECT_EQ(mx(wrong).exit_code, kUsage) << (wrong.empty() ? "" : wrong[0]);
  EXPECT_EQ(backend_.given.size(), 3u);
}

TEST_F(CliTest, AnOrderToManyPathsIsAskedAbout) {
  start();
  const auto mx = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"mx", "--socket", settings_.socket});
    return command(std::move(words));
  };
  backend_.order_done.paths = 11;
  backend_.order_done.names = {"mx.example.net from news"};
  backend_.order_done.also_later = true;
  const Outcome asked = mx({"block", "--all"});
  EXPECT_EQ(asked.exit_code, kFailed);
  EXPECT_NE(asked.err.find("more than 10 paths; nothing is done without --yes"), std::string::npos)
      << asked.err;
  const Outcome counted = mx({"block", "--source", "news", "--dry-run"});
  EXPECT_EQ(counted.exit_code, kDone);
  EXPECT_EQ(counted.out,
            "would block: 11 paths.\n  mx.example.net from news\n  and 10 more\nThe order holds for paths "
            "that are yet to come, too.\n");
  EXPECT_TRUE(backend_.given.empty());
  backend_.order_done.notice = "No site is known by \"x\"";
  EXPECT_TRUE(mx({"block", "--site", "x", "--dry-run"}).out.ends_with("No site is known by \"x\"\n"));
  EXPECT_EQ(mx({"block", "--all", "--yes"}).exit_code, kDone);
  ASSERT_EQ(backend_.given.size(), 1u);
  EXPECT_TRUE(backend_.given[0].all);
  backend_.order_done.paths = 10;
  EXPECT_EQ(mx({"unblock", "--all", "--automatic"}).exit_code, kDone);
  ASSERT_EQ(backend_.given.size(), 2u);
  EXPECT_TRUE(backend_.given[1].automatic);
}

TEST_F(CliTest, AnOrderToManyMessagesIsAskedAbout) {
  for (uint64_t id = 1; id <= 101; ++id)
    spool_.records[id] = admin::message(id, "", {admin::recipient("b@example.net")});
  start();
  const Outcome asked = queue({"hold", "--all"});
  EXPECT_EQ(asked.exit_code, kFailed);
  EXPECT_NE(asked.err.find("101 messages match; nothing is done without --yes"), std::string::npos)
      << asked.err;
  EXPECT_TRUE(backend_.applied.empty());
  EXPECT_EQ(queue({"hold", "--all", "--yes"}).out, "hold: 101 of 101 messages.\n");
  spool_.records.erase(101);
  EXPECT_EQ(queue({"release", "--all"}).out, "release: 100 of 100 messages.\n");
}

TEST_F(CliTest, WhatAnOrderOnItsStreamKeepsBackIsToldWithWhatLiftsIt) {
  backend_.paused = {{1, "news"}};
  admin::OrderView shorter, order;
  shorter.order.stream = "news";
  shorter.seconds = 60;
  order.order.stream = "n*";
  order.order.why = "wrong prices";
  order.order.who = "anna";
  order.seconds = 7200;
  backend_.in_force = {shorter, order};
  start();
  const std::string told =
      "1 message of stream news waits for the end of an order: block stream n* for another 2 h: wrong\n"
      "  prices (by anna). Then it goes, or at once with: penstock mx unblock --stream 'n*'\n";
  EXPECT_EQ(queue({"release", conf::to_text(1)}).out, "release: 0 of 1 message.\n" + told);
  EXPECT_EQ(queue({"retry", conf::to_text(1)}).out, "retry: 1 of 1 message.\n" + told);
  EXPECT_EQ(queue({"hold", conf::to_text(1)}).out, "hold: 1 of 1 message.\n");
  backend_.paused.clear();
  EXPECT_EQ(queue({"release", conf::to_text(1)}).out, "release: 1 of 1 message.\n");
}

TEST_F(CliTest, AMessageIsViewedAsItIsInTheSpool) {
  spool_.bodies[1] = "Subject: x\r\nTo: a@b\r\n\r\nbody \x1b[2J\r\n";
  start();
  EXPECT_EQ(queue({"view", conf::to_text(1)}).out, spool_.bodies[1]);
  EXPECT_EQ(queue({"view", "--header", conf::to_text(1)}).out, "Subject: x\r\nTo: a@b\r\n");
  const Outcome missing = queue({"view", conf::to_text(77)});
  EXPECT_EQ(missing.exit_code, kFailed);
  EXPECT_EQ(missing.out, "");
  EXPECT_EQ(queue({"view", "nonsense"}).exit_code, kUsage);
  EXPECT_EQ(queue({"view"}).exit_code, kUsage);
}

TEST_F(CliTest, AMessageIsGivenUpOnlyWhenThatIsSaid) {
  start();
  const Outcome asked = queue({"fail", conf::to_text(1)});
  EXPECT_EQ(asked.exit_code, kFailed);
  EXPECT_NE(asked.err.find("1 message matches; nothing is given up without --yes"), std::string::npos)
      << asked.err;
  EXPECT_TRUE(backend_.applied.empty());
  EXPECT_EQ(queue({"fail", conf::to_text(1), "--yes"}).out, "fail: 1 of 1 message.\n");
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].first, admin::QueueAction::kFail);
}

TEST_F(CliTest, ReloadSaysWhatChangedAndWhatWaits) {
  start();
  const auto reload = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"reload", "--socket", settings_.socket});
    return command(std::move(words));
  };
  backend_.reload_done.file = "/etc/penstock/penstock.toml";
  EXPECT_EQ(reload({}).out,
            "/etc/penstock/penstock.toml was read again: nothing in it has changed, nor in a file "
            "that it names.\n");
  backend_.reload_done.changes = {"hostname: \"a\" -> \"b\" (line 1)"};
  backend_.reload_done.waiting = "hostname";
  backend_.reload_done.problems = {"penstock.toml:3:1: warning: an odd thing"};
  const Outcome changed = reload({});
  EXPECT_EQ(changed.exit_code, kDone);
  EXPECT_EQ(changed.out,
            "/etc/penstock/penstock.toml was read again:\n  hostname: \"a\" -> \"b\" (line 1)\n"
            "Waits for a restart: hostname\n");
  EXPECT_TRUE(changed.err.ends_with("penstock.toml:3:1: warning: an odd thing\n")) << changed.err;
  EXPECT_EQ(nlohmann::json::parse(reload({"--json"}).out).at("waits_for_restart"), "hostname");
  backend_.reload_done.refused = "the file has errors";
  const Outcome refused = reload({});
  EXPECT_EQ(refused.exit_code, kFailed);
  EXPECT_EQ(refused.out, "");
  EXPECT_TRUE(
      refused.err.ends_with("penstock: reload refused, the old configuration goes on: the file has errors\n"
                            "penstock.toml:3:1: warning: an odd thing\n"))
      << refused.err;
}

// The file that a reload is to judge is mostly the one that has the error.
TEST_F(CliTest, AFileWithErrorsStillNamesTheSocket) {
  start();
  const std::string file = (folder_ / "relay.toml").string();
  std::ofstream(file) << "hostname = \"r.example.com\"\nmax_conections = 3\n[[listener]]\naddress = "
                         "\"127.0.0.1:25\"\n[admin]\nsocket = \""
                      << settings_.socket << "\"\n";
  const Outcome told = command({"queue", "summary", "-c", file});
  EXPECT_EQ(told.exit_code, kDone);
  EXPECT_NE(told.err.find("penstock: warning: the configuration has errors: " + file + ":2:1: "),
            std::string::npos)
      << told.err;
  backend_.reload_done.refused = "the file has errors";
  backend_.reload_done.problems = {file + ":2:1: there is no key \"max_conections\""};
  const Outcome refused = command({"reload", "-c", file});
  EXPECT_EQ(refused.exit_code, kFailed);
  EXPECT_TRUE(refused.err.ends_with("the old configuration goes on: the file has errors\n" + file +
                                    ":2:1: there is no key \"max_conections\"\n"))
      << refused.err;
  EXPECT_EQ(command({"reload", "-c", (folder_ / "none.toml").string()}).exit_code, kUsage);
}

std::vector<std::string> commands_in(const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help.substr(std::min(help.find("Subcommands:\n"), help.size())));
  for (std::string line; std::getline(lines, line) && line != "";)
    if (line.starts_with("  ") && line[2] != ' ') names.push_back(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

TEST_F(CliTest, TheManualHasEveryCommand) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/packaging/man/penstock.8");
  std::map<std::string, std::string> parts;  // of the description, by command
  std::string said;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(".It Cm ") || line.starts_with(".Sh ")) said = line;
    if (line.find("Cm ") != std::string::npos) parts[said] += line + '\n';
  }
  const auto has = [&](const std::string& name, const std::string& under) {
    const std::regex word("Cm ([a-z ,-]+ )?" + name + "\\b");
    return std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
      return part.first.find(under) != std::string::npos && std::regex_search(part.second, word);
    });
  };
  const std::vector<std::string> commands = commands_in(command({"--help"}).out);
  ASSERT_GE(commands.size(), 15u);
  for (const std::string& name : commands) {
    EXPECT_TRUE(has(name, ".It Cm " + name)) << name;
    for (const std::string& inner : commands_in(command({name, "--help"}).out))
      EXPECT_TRUE(has(inner, "")) << name << ' ' << inner;
  }
}

TEST_F(CliTest, DkimKeygenWritesAKeyAndItsRecord) {
  const std::string key = (folder_ / "key.pem").string();
  const std::vector<std::string> words = {"dkim",       "keygen", "--domain", "Example.com",
                                          "--selector", "s1",     "--out",    key};
  const Outcome made = command(words);
  EXPECT_EQ(made.exit_code, kDone) << made.err;
  EXPECT_EQ(made.out.find("s1._domainkey.example.com. IN TXT ( \"v=DKIM1; k=rsa; p="), 0U) << made.out;
  EXPECT_EQ(fs::status(key).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const Outcome again = command(words);
  EXPECT_EQ(again.exit_code, kFailed);
  EXPECT_NE(again.err.find("a key is never overwritten"), std::string::npos) << again.err;
  EXPECT_EQ(command({"dkim", "keygen", "--domain", "a b", "--selector", "s", "--out", key}).exit_code,
            kUsage);
  EXPECT_EQ(
      command({"dkim", "keygen", "--domain", "a.example", "--selector", "s", "--out", key, "--bits", "1024"})
          .exit_code,
      kUsage);
}

TEST_F(CliTest, DkimCheckComparesTheRecord) {
  const std::string key = (folder_ / "key.pem").string();
  ASSERT_EQ(command({"dkim", "keygen", "--domain", "example.com", "--selector", "s1", "--out", key, "--type",
                     "ed25519"})
                .exit_code,
            kDone);
  const std::vector<std::string> words = {"dkim",       "check", "--domain", "example.com",
                                          "--selector", "s1",    "--key",    key};
  known_texts.clear();
  Outcome outcome = command(words);
  EXPECT_EQ(outcome.exit_code, kFailed);
  EXPECT_NE(
      outcome.out.find("there is no TXT record at s1._domainkey.example.com; it should be\n  s1._domainkey"),
      std::string::npos)
      << outcome.out;
  const size_t begin = outcome.out.find('"') + 1;
  known_texts["s1._domainkey.example.com"] = outcome.out.substr(begin, outcome.out.find('"', begin) - begin);
  outcome = command(words);
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.out;
  EXPECT_NE(outcome.out.find("good (ed25519-sha256"), std::string::npos) << outcome.out;
  known_texts["s1._domainkey.example.com"] = "v=DKIM1; k=ed25519; p=";
  EXPECT_NE(command(words).out.find("revoked"), std::string::npos);
  std::vector<std::string> elsewhere = words;
  elsewhere.insert(elsewhere.end(), {"--dns", "192.0.2.1"});
  EXPECT_NE(command(elsewhere).out.find("no answer"), std::string::npos);
  // The keys of a configuration, and `penstock check`, which reads them too.
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                        << "[[dkim_key]]\ndomain = \"example.com\"\nselector = \"s1\"\nfile = \"" << key
                        << "\"\n";
  EXPECT_EQ(command({"dkim", "check", "-c", config}).exit_code, kFailed);
  EXPECT_NE(command({"check", "-c", config}).out.find("1 DKIM key"), std::string::npos);
  // The name servers of the configuration are asked, unless the command names another.
  std::ofstream(config, std::ios::app) << "[dns]\nservers = [\"192.0.2.1\"]\n";
  EXPECT_NE(command({"dkim", "check", "-c", config}).out.find("no answer"), std::string::npos);
  std::vector<std::string> here = words;
  here.insert(here.end(), {"-c", config});
  EXPECT_NE(command(here).out.find("no answer"), std::string::npos);
  here.insert(here.end(), {"--dns", "192.0.2.2"});
  EXPECT_EQ(command(here).out.find("no answer"), std::string::npos);
  fs::permissions(key, fs::perms::others_read, fs::perm_options::add);
  const Outcome open = command({"check", "-c", config});
  EXPECT_EQ(open.exit_code, kUsage);
  EXPECT_NE(open.err.find("penstock.toml:4:1: [[dkim_key]] file: "), std::string::npos) << open.err;
}

TEST_F(CliTest, CheckLooksForWhatTheFileNames) {
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config)
      << "hostname = \"relay.example.com\"\nrun_as = \"nobody-of-that-name\"\n[[listener]]\n"
      << "address = \"127.0.0.1:25\"\n[tls]\ncertificate = \"/nope\"\nkey = \"/nope2\"\n";
  const Outcome outcome = command({"check", "-c", config});
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_NE(outcome.err.find(":6:1: [tls] certificate: cannot read /nope: No such file"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find(":2:1: run_as: there is no user nobody-of-that-name"), std::string::npos)
      << outcome.err;
}

// A start would be refused, or wait, for each of these.
TEST_F(CliTest, CheckLooksAtWhatStandsWhereTheRelayWrites) {
  const std::string config = (folder_ / "penstock.toml").string(), here = folder_.string();
  const auto check = [&](const std::string& log, const std::string& spool, const std::string& socket) {
    std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n"
                          << "[log]\npath = \"" << here << log << "\"\n[spool]\npath = \"" << here << spool
                          << "\"\n[admin]\nsocket = \"" << here << socket << "\"\n";
    return command({"check", "-c", config});
  };
  std::ofstream(folder_ / "file") << "x";
  fs::create_directory(folder_ / "folder");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const Outcome good = check("/log/a.jsonl", "/spool", "/run/admin.sock");
  EXPECT_EQ(good.exit_code, kDone) << good.err;
  EXPECT_EQ(good.err, "");
  EXPECT_FALSE(fs::exists(folder_ / "log")) << "nothing is made";
  const Outcome pipe = check("/pipe", "/spool", "/a.sock");
  EXPECT_EQ(pipe.exit_code, kDone);
  EXPECT_EQ(pipe.err, config + ":5:1: warning: [log] path: " + here +
                          "/pipe is a named pipe: a start is refused while nobody reads it\n");
  const Outcome kinds = check("/folder", "/file", "/file");
  EXPECT_EQ(kinds.exit_code, kUsage);
  EXPECT_EQ(kinds.err, config + ":5:1: [log] path: " + here +
                           "/folder is a folder; a file is wanted there\n" + config +
                           ":7:1: [spool] path: " + here + "/file is a file; a folder is wanted there\n" +
                           config + ":9:1: [admin] socket: " + here +
                           "/file is a file; the relay makes a socket there: move it away\n");
  const Outcome below = check("/file/a/b.jsonl", "/spool", "/a.sock");
  EXPECT_EQ(below.exit_code, kUsage);
  EXPECT_NE(below.err.find("[log] path: " + here + "/file is no folder, so " + here + "/file/a/b.jsonl"),
            std::string::npos)
      << below.err;
}

TEST_F(CliTest, CheckAsksAsTheUserThatTheRelayBecomes) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const std::string config = (folder_ / "penstock.toml").string(), here = folder_.string();
  fs::permissions(folder_, fs::perms(0755));
  fs::create_directory(folder_ / "log");
  fs::permissions(folder_ / "log", fs::perms(0755));
  std::ofstream(config) << "hostname = \"relay.example.com\"\nrun_as = \"nobody\"\n[[listener]]\n"
                        << "address = \"127.0.0.1:25\"\n[log]\npath = \"" << here << "/log/a.jsonl\"\n"
                        << "[spool]\npath = \"" << here << "/spool\"\n[admin]\nsocket = \"" << here
                        << "/run/a.sock\"\n";
  const Outcome outcome = command({"check", "-c", config});
  EXPECT_EQ(outcome.exit_code, kUsage) << outcome.err;
  EXPECT_NE(
      outcome.err.find(":6:1: [log] path: " + here + "/log cannot be written by nobody: Permission denied\n"),
      std::string::npos)
      << outcome.err;
  EXPECT_EQ(::geteuid(), 0U) << "and is root again";
  ASSERT_EQ(::chown((folder_ / "log").c_str(), 65534, 65534), 0);
  EXPECT_EQ(command({"check", "-c", config}).exit_code, kDone);
  // Standard output is this program's own: a start has another.
  const int saved = ::dup(STDOUT_FILENO), closed = ::open("/", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(::dup2(closed, STDOUT_FILENO), 0);
  std::ofstream(config) << "hostname = \"relay.example.com\"\nrun_as = \"nobody\"\n[[listener]]\n"
                        << "address = \"127.0.0.1:25\"\n[log]\npath = \"/dev/stdout\"\n"
                        << "[spool]\npath = \"" << here << "/spool\"\n";
  const Outcome to_stdout = command({"check", "-c", config});
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(closed);
  EXPECT_EQ(to_stdout.exit_code, kDone) << to_stdout.err;
}

TEST_F(CliTest, CheckWarnsOfAListenerOfAnotherMachine) {
  const std::string config = (folder_ / "penstock.toml").string();
  std::ofstream(config) << "hostname = \"relay.example.com\"\n[[listener]]\nname = \"in\"\n"
                        << "address = \"203.0.113.9:25\"\n";
  const Outcome outcome = command({"check", "-c", config});
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_EQ(outcome.err, config +
                             ":4:1: warning: [[listener]] \"in\" address: 203.0.113.9 is not an address "
                             "of this machine\n");
}

TEST_F(CliTest, DkimSignAndVerify) {
  const std::string key = (folder_ / "key.pem").string();
  const Outcome made =
      command({"dkim", "keygen", "--domain", "example.com", "--selector", "s1", "--out", key});
  std::string record;
  for (size_t at = made.out.find('"'); at != std::string::npos; at = made.out.find('"', at + 1)) {
    const size_t end = made.out.find('"', at + 1);
    record += made.out.substr(at + 1, end - at - 1);
    at = end;
  }
  known_texts["s1._domainkey.example.com"] = record;
  const std::string signed_file = (folder_ / "signed.eml").string();
  for (const std::string engine : {"evp", "opendkim"}) {
    for (const std::string line_end : {"\n", "\r\n"}) {
      type_in("From: a@example.com" + line_end + "Subject: x" + line_end + line_end + "body" + line_end);
      const Outcome made_signature = command(
          {"dkim", "sign", "--domain", "example.com", "--selector", "s1", "--key", key, "--engine", engine});
      ASSERT_EQ(made_signature.exit_code, kDone) << made_signature.err;
      EXPECT_EQ(made_signature.out.find("DKIM-Signature: v=1;"), 0U);
      EXPECT_EQ(made_signature.out.find('\r') != std::string::npos, line_end == "\r\n");
      std::ofstream(signed_file, std::ios::binary) << made_signature.out;
      const Outcome verified = command({"dkim", "verify", signed_file});
      EXPECT_EQ(verified.exit_code, kDone);
      EXPECT_EQ(verified.out, "pass d=example.com s=s1 a=rsa-sha256\n");
      std::ofstream(signed_file, std::ios::binary | std::ios::app) << "more";
      const Outcome changed = command({"dkim", "verify", signed_file});
      EXPECT_EQ(changed.exit_code, kFailed);
      EXPECT_EQ(changed.out, "fail d=example.com s=s1 a=rsa-sha256 (the body was changed)\n");
    }
  }
  type_in("From: a@example.com\n\nbody\n");
  EXPECT_EQ(command({"dkim", "verify"}).out, "none (the message has no signature)\n");
  type_in("From: a@example.com\nFrom: b@example.com\n\nbody\n");
  const Outcome two = command({"dkim", "sign", "--domain", "example.com", "--selector", "s1", "--key", key});
  EXPECT_EQ(two.exit_code, kFailed);
  EXPECT_EQ(two.err, "penstock: not signed: the message has two From fields\n");
  EXPECT_EQ(command({"dkim", "verify", "/nonexistent.eml"}).exit_code, kFailed);
}

}  // namespace
}  // namespace cli
}  // namespace relay
