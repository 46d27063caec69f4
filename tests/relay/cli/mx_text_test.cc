#include "relay/cli/mx_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "relay/admin/mx_json.h"
#include "relay/cli/effective_settings.h"
#include "relay/cli/waiting_text.h"
#include "tests/relay/admin/fake_relay.h"

namespace relay::cli {
namespace {

using nlohmann::json;

admin::Explanation told(const std::vector<std::string>& sources) {
  admin::Explanation explanation = admin::busy_explanation("mx.example.net", sources);
  explanation.route.domain = "example.net";
  return explanation;
}

TEST(MxText, SecondsForPeople) {
  const std::pair<double, const char*> cases[] = {
      {0, "0 s"},           {-5, "0 s"},        {0.2, "less than 1 s"}, {191.5, "3 min 12 s"},
      {7940, "2 h 12 min"}, {90'000, "1 d 1 h"}};
  for (const auto& [seconds, text] : cases) EXPECT_EQ(seconds_text(seconds), text);
}

TEST(MxText, TheFirstLineIsTheAnswer) {
  admin::Explanation one = told({"default"});
  const auto line = [&] { return headline(admin::explanation_json(one)); };
  EXPECT_EQ(line(), "Mail to example.net waits: messages_per_hour, frees in 3 min 12 s.");
  one.paths[0].binds = mx::Bind::kConnections;
  one.paths[0].frees_seconds = -1;
  EXPECT_EQ(line(),
            "Mail to example.net waits: max_connections, frees when a connection or a transaction ends.");
  one.paths[0].why = "a connection is being opened since 12 s";
  one.paths[0].opening = true;
  EXPECT_EQ(line(), "Mail to example.net waits: a connection is being opened since 12 s.");
  one.paths[0].why = "";
  one.paths[0].opening = false;
  one.paths[0].binds = mx::Bind::kBlocked;
  one.paths[0].state = mx::Standing::State::kBlocked;
  EXPECT_EQ(line(), "Mail to example.net waits: blocked until an operator unblocks it.");
  one.paths[0].binds = mx::Bind::kNothing;
  EXPECT_EQ(line(), "Mail to example.net may go now.");
  one.paths.clear();
  one.problem = "no such domain";
  EXPECT_EQ(line(), "Mail to example.net cannot go: no such domain.");
}

TEST(MxText, OfAnAddressInQuarantineThatIsTheAnswer) {
  json explanation = admin::explanation_json(told({"default"}));
  explanation["barred"] = {{"address", "ann@example.net"}, {"why", "in quarantine (user-unknown)"}};
  EXPECT_EQ(
      headline(explanation),
      "Nothing is sent to <ann@example.net>: it is in quarantine (user-unknown); penstock quarantine show "
      "ann@example.net tells since when.\n"
      "Other mail to example.net waits: messages_per_hour, frees in 3 min 12 s.");
}

TEST(MxText, APathSaysWhichRuleOrWhoseOrderHoldsIt) {
  admin::Explanation one = told({"default"});
  one.paths[0].binds = mx::Bind::kSlowed;
  one.paths[0].why = "paused by reply rule \"busy\"";
  one.paths[0].frees_seconds = 60;
  EXPECT_EQ(headline(admin::explanation_json(one)),
            "Mail to example.net waits: paused by reply rule \"busy\", frees in 1 min.");
}

TEST(MxText, WhatTheDiskHoldsFreesWithTheDisk) {
  admin::Explanation one = told({"default"});
  one.paths[0].binds = mx::Bind::kRecording;
  one.paths[0].frees_seconds = -1;
  EXPECT_EQ(
      headline(admin::explanation_json(one)),
      "Mail to example.net waits: results cannot be recorded in the spool, frees when there is room on the "
      "disk and it can be written.");
}

TEST(MxText, NoLineOfAHistoryIsLongerThanTheScreen) {
  admin::Explanation one = told({"default"});
  std::string refusal = "550 5.7.1";
  for (int i = 0; i < 30; ++i) refusal += " unwanted";
  one.paths[0].replies = {refusal};
  one.paths[0].last_error = refusal;
  one.route.site =
      "mx1.of.a.provider.example,mx2.of.a.provider.example, mx3.of.a.provider.example, x.example";
  one.route.hosts = {{"mx1.of.a.provider.example", 10, std::vector<std::string>(8, "192.0.2.1:2525")}};
  one.sources = {{}, {}};
  one.sources[0].never = refusal;
  const std::string text = explanation_text(admin::explanation_json(one));
  EXPECT_NE(text.find("\n  refusal    550 5.7.1 unwanted"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  failed     550 5.7.1 unwanted"), std::string::npos) << text;
  std::istringstream lines(text);
  for (std::string each; std::getline(lines, each);) EXPECT_LE(each.size(), 100U) << each;
}

TEST(MxText, NoListOfNamesIsLongerThanTheScreen) {
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back("source-number-" + std::to_string(i));
  admin::Explanation many = told(names);
  many.route.site = "mx.example.net";
  for (admin::PathView& path : many.paths) {
    path.binds = mx::Bind::kNothing;
    path.limits.clear();
  }
  many.paths[0].binds = mx::Bind::kRate;
  const json explanation = admin::explanation_json(many);
  ASSERT_GT(headline(explanation).size(), 100U);
  const json streams = {{"streams", names}, {"messages", 7}, {"also_later", true}};
  const json paths = {{"paths", 1'234}, {"probing", 1'234}, {"automatic", 1'234}, {"held", 1'234}};
  json effective = {{"domain", "example.net"}, {"paths", {{{"source", ""}}}}};
  for (const std::string& name : names)
    effective["paths"][0]["source"] = effective["paths"][0]["source"].get<std::string>() + name + ", ";
  const std::string first = explanation_text(explanation);
  EXPECT_NE(first.find("source-number-19"), std::string::npos);
  const std::string hosts = offline_text({{"domain", "example.net"}, {"hosts", names}});
  for (const std::string& text : {first, mx_done_text("block", streams), mx_done_text("unblock", paths),
                                  effective_text(effective), hosts}) {
    std::istringstream lines(text);
    for (std::string each; std::getline(lines, each);) EXPECT_LE(each.size(), 100U) << each;
  }
}

TEST(MxText, TheSampleThatBlockedIsShownAsSuch) {
  admin::Explanation one = told({"default"});
  one.paths[0].thresholds[0].tripped = true;
  const std::string text = explanation_text(admin::explanation_json(one));
  EXPECT_NE(text.find("271 of 300 messages in the hour before the block were errors (90.3 %)\n"),
            std::string::npos)
      << text;
}

TEST(MxText, AfterABlockTheSampleIsSaidToHaveBegunAnew) {
  admin::Explanation one = told({"default"});
  one.paths[0].thresholds[0].since_block = true;
  one.paths[0].thresholds[0].messages = one.paths[0].thresholds[0].errors = 0;
  const std::string text = explanation_text(admin::explanation_json(one));
  EXPECT_NE(text.find("0 of 0 messages since the block were errors (0.0 %)\n"), std::string::npos) << text;
}

TEST(MxText, AnOrderNamesThePathsThatItChangesWithoutBeingAsked) {
  admin::MxOrderDone done;
  done.paths = done.together = 1;
  done.names = {"mx.one.test from tx"};
  done.names_together = {"mx.two.test from tx"};
  const std::string text = mx_done_text("reset", admin::order_done_json(done));
  EXPECT_EQ(
      text.find("reset: 1 path.\n  mx.one.test from tx\n1 path was not named and changed too: the rule "), 0U)
      << text;
  EXPECT_NE(text.find("\n  mx.two.test from tx\n"), std::string::npos) << text;
  done = {};
  done.superseded = 1;
  EXPECT_EQ(mx_done_text("reset", admin::order_done_json(done)),
            "reset: 0 paths.\nAnd 1 path of a rule that decides there no more.\n");
  done = {};
  done.probing = 3;
  EXPECT_NE(mx_done_text("unblock", admin::order_done_json(done))
                .find("3 paths are not blocked any more: probes or a ramp go first"),
            std::string::npos);
}

TEST(MxText, AnOrderOnAStreamCountsItsMailAndIsTheAnswerForThatStream) {
  admin::MxOrderDone done;
  done.streams = {"news"};
  done.messages = 1200;
  done.also_later = true;
  EXPECT_EQ(mx_done_text("block", admin::order_done_json(done)),
            "block: stream news, 1,200 messages in the queue.\n"
            "The order holds for its mail that is yet to come, too, wherever it goes.\n");
  admin::Explanation one = told({"default"});
  one.paths[0].binds = mx::Bind::kNothing;
  admin::OrderView order;
  order.order.stream = "news";
  order.order.who = "anna";
  order.seconds = 7200;
  one.stream_orders = {order};
  EXPECT_EQ(headline(admin::explanation_json(one)),
            "Mail to example.net may go now.\nBut not against an order: block stream news for another 2 h "
            "(by anna).");
  one.stream_order = order;
  EXPECT_EQ(headline(admin::explanation_json(one)),
            "Mail to example.net waits, by an order: block stream news for another 2 h (by anna).\n"
            "Without that order mail to it may go now.");
}

// Deferred and held mail stands on no path, so the state of the paths is not why it waits.
TEST(MxText, WhatWaitsIsTheAnswerNotWhatNewMailMayDo) {
  admin::Explanation one = told({"default"});
  one.paths[0].binds = mx::Bind::kNothing;
  one.waiting.counts[static_cast<size_t>(admin::WaitingState::kScheduled)] = 6166;
  one.waiting.counts[static_cast<size_t>(admin::WaitingState::kHeld)] = 2;
  one.waiting.oldest_seconds = 7940;
  one.waiting.reasons = {{"deferred: 450 Greylisted", 6166, 3420.0}, {"on hold until it is released", 2, {}}};
  const std::string text = explanation_text(admin::explanation_json(one));
  EXPECT_EQ(
      text.find("Mail to example.net waits (6,166 of 6,168): deferred: 450 Greylisted; the first may go in "
                "57 min.\nNew mail to it may go now.\n"),
      0U)
      << text;
  EXPECT_NE(text.find("Waiting   6,166 scheduled, 2 on hold; the oldest for 2 h 12 min\n"
                      "  6,166  deferred: 450 Greylisted; the first may go in 57 min\n"
                      "  2  on hold until it is released\n"),
            std::string::npos)
      << text;
}

// Its stream may not use the free ones.
TEST(MxText, WhereAllMailWaitsOnPathsThatAreHeldAFreePathIsNoAnswer) {
  admin::Explanation two = told({"tx", "news"});
  two.paths[0].binds = mx::Bind::kNothing;
  two.paths[0].ready = 0;
  two.paths[1].binds = mx::Bind::kBlocked;
  two.paths[1].state = mx::Standing::State::kBlocked;
  two.paths[1].ready = 5;
  two.waiting.counts[static_cast<size_t>(admin::WaitingState::kReady)] = 5;
  two.waiting.reasons = {{"blocked by an operator", 5, 25.0}};
  EXPECT_EQ(headline(admin::explanation_json(two))
                .find("Mail to example.net waits (all 5): blocked by an operator"),
            0U)
      << headline(admin::explanation_json(two));
  two.paths[0].ready = 1;
  EXPECT_EQ(headline(admin::explanation_json(two)).find("Mail to example.net may go now from tx"), 0U);
}

// The block of two sources matters more than the ladder of the third, which is over sooner.
TEST(MxText, WhatHoldsMostStandsBeforeWhatEndsSoonest) {
  admin::Explanation two = told({"tx", "new"});
  two.paths[0].binds = mx::Bind::kBlocked;
  two.paths[0].state = mx::Standing::State::kBlocked;
  two.paths[0].frees_seconds = 10'000;
  two.paths[1].binds = mx::Bind::kWarmUp;
  two.paths[1].frees_seconds = 5280;
  EXPECT_EQ(
      headline(admin::explanation_json(two)),
      "Mail to example.net waits: blocked, frees in 2 h 46 min from tx; the soonest is from new: waits: the "
      "warm-up ladder, frees in 1 h 28 min.");
}

TEST(MxText, TheSameRefusalStandsOnceAndDefaultsInOneParagraph) {
  admin::Explanation one = told({"default"});
  one.paths[0].replies = {"550 blocked", "421 slow", "550 blocked"};
  const std::string text = explanation_text(admin::explanation_json(one));
  EXPECT_NE(text.find("  refusal    550 blocked (2 times)\n  refusal    421 slow\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("    not set by a rule: max_connections 20\n"), std::string::npos) << text;
}

TEST(MxText, LimitsThatAreTheSameForSeveralSourcesStandOnce) {
  admin::Explanation two = told({"tx", "news"});
  const std::string text = explanation_text(admin::explanation_json(two));
  EXPECT_NE(text.find("  limits     as from tx\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("not set by a rule"), text.rfind("not set by a rule")) << text;
  two.paths[1].rule = "other";
  two.paths[1].rule_where = "p.toml:7";
  EXPECT_EQ(explanation_text(admin::explanation_json(two)).find("as from tx"), std::string::npos);
}

TEST(MxText, WithManySourcesTheSoonestCounts) {
  admin::Explanation two = told({"default", "news"});
  two.paths[0].frees_seconds = -1;
  two.paths[1].binds = mx::Bind::kRate;
  two.paths[1].frees_seconds = 5;
  EXPECT_EQ(headline(admin::explanation_json(two)),
            "Mail to example.net waits: rate, frees in 5 s (from news, the soonest of 2 sources).");
  two.paths[1].binds = mx::Bind::kNothing;
  EXPECT_EQ(headline(admin::explanation_json(two)),
            "Mail to example.net may go now from news; it waits from default (messages_per_hour).");
}

TEST(MxText, EverythingAboutAPath) {
  admin::Explanation one = told({"default"});
  one.paths[0].traffic[0].slowed_seconds = 60;
  one.paths[0].learned_per_hour = 4200;
  one.paths[0].adaptive = conf::AdaptiveMode::kAdvise;
  one.paths[0].ladder_per_day = 5000;
  one.paths[0].ladder_step = 2;
  one.paths[0].ladder_used = 1200;
  one.paths[0].last_error = "connection refused";
  const std::string text = explanation_text(admin::explanation_json(one));
  for (const char* part :
       {"Site      mx.example.net\n", "rule       gmail  [penstock.toml:41]\n",
        "used 834 of 834 in this 5 min, 10,000 of 10,000 in the last hour; 5 connections of 8",
        "it asked us to slow down: pause for another 1 min\n",
        "271 of 300 messages in the last hour were errors (90.3 %)\n",
        "blocks for 3 h at 90 % of at least 300  [penstock.toml:45]\n", "4,200 an hour, advice only",
        "step 3: 1,200 of 5,000 messages of this day are used\n", "failed     connection refused\n",
        "refusal    421 4.7.28 Our system has detected an unusual rate?[2J\n",
        "decision   2033-05-18 00:46:40 UTC  block by threshold 1: blocked for 3 h",
        "               550 5.7.1 blocked\n",
        "    messages_per_hour  10000  penstock.toml:43 (rule gmail)\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c != 0x7f));
}

TEST(MxText, TheQuotaIsANumberOfThePathNotOfTheWordsOfItsLimits) {
  admin::Explanation one = told({"default"});
  one.paths[0].messages_per_hour = 20'000;
  one.paths[0].limits[0].value = "none of these words count 7";
  EXPECT_NE(explanation_text(admin::explanation_json(one)).find("10,000 of 20,000 in the last hour"),
            std::string::npos);
  one.paths[0].messages_per_hour = 0;
  EXPECT_NE(explanation_text(admin::explanation_json(one)).find("no hourly limit"), std::string::npos);
}

TEST(MxText, WhichSourceIsChosenAndWhy) {
  admin::Explanation told_of = told({"default"});
  told_of.sources = {{"tx", 3, 0, "", mx::Bind::kBlocked, 7940},
                     {"news", 1, 1, "", mx::Bind::kNothing, 0},
                     {"v6", 1, 0, "no IPv6", mx::Bind::kNothing, 0}};
  const std::string text = explanation_text(admin::explanation_json(told_of));
  for (const char* part :
       {"  tx                weight 3     none now, the others go first: blocked for another 2 h 12 min\n",
        "  news              weight 1     100 %\n", "  v6                weight 1     never: no IPv6\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(MxText, ABlockSaysHowLong) {
  admin::Explanation one = told({"default"});
  one.paths[0].state = mx::Standing::State::kBlocked;
  one.paths[0].blocked_seconds = 7940;
  EXPECT_NE(explanation_text(admin::explanation_json(one)).find("blocked for another 2 h 12 min\n"),
            std::string::npos);
}

TEST(MxText, AMessageOnHoldWaitsForItsRelease) {
  const json message = {{"id", "0000000000001"},
                        {"on_hold", true},
                        {"recipients", {{{"recipient", "a@example.net"}, {"state", "pending"}}}}};
  const json explained = {
      {{"domain", "example.net"}, {"explanation", admin::explanation_json(told({"default"}))}}};
  EXPECT_EQ(message_explanation_text(message, explained)
                .find("Mail to example.net waits: the message is on hold; `penstock queue release"),
            0u);
}

TEST(MxText, AnswersOfAnotherShapeStillPrint) {
  for (const json& odd : {json::object(), json{{"paths", {1, "two", {{"traffic", 5}}}}, {"route", 3}},
                          json{{"names", "x"}, {"limiter", json::array()}, {"paths", 7}}}) {
    EXPECT_FALSE(headline(odd).empty());
    EXPECT_FALSE(explanation_text(odd).empty());
    EXPECT_FALSE(mx_status_text(odd).empty());
    EXPECT_FALSE(mx_done_text("block", odd).empty());
    EXPECT_FALSE(message_explanation_text(odd, odd).empty());
    mx_paths_text(odd);
  }
}

}  // namespace
}  // namespace relay::cli
