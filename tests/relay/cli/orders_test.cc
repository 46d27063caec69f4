// Orders to the queue and to paths, and what they are answered.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/relay/cli/cli_rig.h"

namespace relay::cli {
namespace {

TEST_F(CliTest, QueueAloneIsTheSummary) {
  start();
  const Outcome alone = queue({});
  EXPECT_EQ(alone.exit_code, kDone) << alone.err;
  EXPECT_EQ(alone.out, queue({"summary"}).out);
  EXPECT_FALSE(alone.out.empty());
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

size_t longest_line(const std::string& text) {
  size_t most = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) most = std::max(most, line.size());
  return most;
}

TEST_F(CliTest, ManyIdsThatAreNotQueuedFitTheWindow) {
  start();
  std::vector<std::string> words{"hold"};
  for (conf::MessageId id = 50; id < 62; ++id) words.push_back(conf::to_text(id));
  const Outcome held = queue(words);
  EXPECT_EQ(held.exit_code, kFailed);
  EXPECT_TRUE(held.err.starts_with("penstock: none of these is in the queue: " + conf::to_text(50)))
      << held.err;
  EXPECT_NE(held.err.find(conf::to_text(59)), std::string::npos) << held.err;
  EXPECT_LE(longest_line(held.err), 100U) << held.err;
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

}  // namespace
}  // namespace relay::cli
