#include "relay/cli/queue_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using nlohmann::json;

TEST(QueueView, TerminalsObeyNoRemoteText) {
  EXPECT_EQ(printable("plain \"text\" \\ caf\xc3\xa9"), "plain \"text\" \\ caf\xc3\xa9");
  EXPECT_EQ(printable("\x1b[2J\r\n\t\x7f"), "?[2J????");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m \xe2\x80\xae \xff"),
            "?31m ? ?");
}

TEST(QueueView, Ages) {
  const std::pair<int64_t, const char*> cases[] = {{0, "0s"},          {59, "59s"},      {60, "1m"},
                                                   {3599, "59m"},      {3600, "1h0m"},   {11'400, "3h10m"},
                                                   {86'399, "23h59m"}, {187'200, "2d4h"}};
  for (const auto& [seconds, text] : cases) EXPECT_EQ(age_text(seconds), text);
}

TEST(QueueView, ListShowsTheNextRecipientAndItsReply) {
  const json list = {{"messages",
                      {{{"id", "0000000000001"},
                        {"age_seconds", 3600},
                        {"size_bytes", 10},
                        {"pending", 2},
                        {"sender", ""},
                        {"stream", "newsletter"},
                        {"on_hold", true},
                        {"next",
                         {{"recipient", "a@example.net"},
                          {"reply_code", 451},
                          {"enhanced_status", "4.7.1"},
                          {"last_reply", "later\x1b"}}}}}},
                     {"more", true}};
  const std::string view = list_view(list);
  EXPECT_NE(
      view.find(
          "0000000000001    1h0m         10        2  <> -> a@example.net [stream newsletter] [hold]\n"),
      std::string::npos)
      << view;
  EXPECT_NE(view.find("451 4.7.1 later?\n"), std::string::npos) << view;
  EXPECT_NE(view.find("There are more"), std::string::npos);
  EXPECT_EQ(list_view(json{{"messages", json::array()}}), "No message matches.\n");
}

TEST(QueueView, NoLineIsLongerThanTheScreen) {
  const std::string address = std::string(60, 'a') + "@example.net";
  std::string refusal = "not now";
  for (int i = 0; i < 30; ++i) refusal += " please";
  const json next = {{"recipient", address}, {"reply_code", 451}, {"last_reply", refusal}};
  const json message = {{"id", "0000000000001"}, {"sender", "news-" + address}, {"next", next}};
  const std::string views =
      list_view({{"messages", json::array({message})}}) + message_view({{"recipients", json::array({next})}});
  std::istringstream lines(views);
  for (std::string each; std::getline(lines, each);) EXPECT_LE(each.size(), 100U) << each;
  EXPECT_NE(views.find(address), std::string::npos) << "addresses are not cut: " << views;
}

TEST(QueueView, WhatIsCutToFitLosesWholeLetters) {
  EXPECT_EQ(fitted("größere", 20), "größere");
  EXPECT_EQ(fitted("größere.example", 6), "gr...");  // its ö would be cut
  EXPECT_EQ(fitted("größere.example", 7), "grö...");
}

TEST(QueueView, SummaryShoutsWhenNothingIsAccepted) {
  const json summary = {
      {"messages", 3},
      {"accepting", false},
      {"not_accepting_why", "disk below the reserve"},
      {"since_start", {{"delivered", 9}}},
      {"by", "site"},
      {"groups",
       {{{"name", "mx.example.net"},
         {"ready", 1},
         {"scheduled", 6166},
         {"oldest_seconds", 7940},
         {"reasons",
          {{{"reason", "deferred: 450 Greylisted"}, {"count", 6166}, {"next_seconds", 3420}},
           {{"reason", "blocked after refusals"}, {"count", 1}, {"next_seconds", nullptr}}}}}}}};
  const std::string view = summary_view(summary);
  EXPECT_NE(view.find("messages              3\n"), std::string::npos) << view;
  EXPECT_NE(view.find("  delivered           9\n"), std::string::npos) << view;
  EXPECT_NE(view.find("NOT ACCEPTING MAIL: disk below the reserve\n"), std::string::npos) << view;
  EXPECT_NE(view.find("    6,166        1       0         0     0   2h12m  mx.example.net\n"),
            std::string::npos)
      << view;
  EXPECT_NE(view.find("          6,166  deferred: 450 Greylisted; the first may go in 57 min\n"),
            std::string::npos)
      << view;
  EXPECT_NE(view.find("          1  blocked after refusals\n"), std::string::npos) << view;
}

TEST(QueueView, AMessageSaysWhereItStands) {
  const json delivery = {{"state", "ready"}, {"source", "tx"},       {"site", "mx.test"},
                         {"rule", "google"}, {"next_seconds", 7940}, {"reason", "blocked after refusals"}};
  EXPECT_EQ(delivery_text(delivery),
            "ready from tx to mx.test (rule google): blocked after refusals; may go in 2 h 12 min");
  EXPECT_EQ(delivery_text(json::object()), "");
  const json message = {{"recipients", {{{"recipient", "a@mx.test"}, {"delivery", delivery}}}}};
  EXPECT_NE(message_view(message).find("  stands        ready from tx to mx.test"), std::string::npos);
}

TEST(QueueView, TheStatusHasMailAndPathsOfEachSite) {
  const json path = {
      {"site", "mx.test"}, {"source", "news"}, {"rule", "google"}, {"ready", 3}, {"binds", "rate"}};
  const json status = {{"paths", {path}},
                       {"waiting", {{{"name", "mx.test"}, {"ready", 3}, {"scheduled", 7}}}}};
  EXPECT_NE(
      mx_status_text(status).find("mx.test\n  mail: 7 scheduled, 3 ready; the oldest for 0 s\n  from news "
                                  "(google): 3 ready, 0 in flight, 0 connections; waits: rate"),
      std::string::npos)
      << mx_status_text(status);
}

TEST(QueueView, TheStatusSaysWhatFlowsBesideWhatTheLimitAllows) {
  json path = {{"site", "mx.test"},
               {"source", "news"},
               {"last_minute",
                {{"delivered", 1812},
                 {"deferred", 3},
                 {"refused", 0},
                 {"allowed", 1666.7},
                 {"allowed_by", "messages_per_hour"},
                 {"allowed_to", "source"}}}};
  const auto told = [&] { return mx_status_text({{"paths", {path}}}); };
  EXPECT_NE(told().find("\n    last minute: 1,812 delivered, 3 deferred, 0 refused; messages_per_hour allows "
                        "1,666 a minute\n"),
            std::string::npos)
      << told();
  path["last_minute"] = {{"allowed", 1.0 / 60}, {"allowed_by", "rate"}, {"allowed_to", "pool"}};
  path["one_site"] = true;
  EXPECT_NE(told().find("last minute: nothing; rate allows 1 an hour from all sources together, to all "
                        "sites of the rule\n"),
            std::string::npos)
      << told();
  path["last_minute"] = {{"allowed", 50 / 1440.0}, {"allowed_by", "the warm-up ladder"}};
  EXPECT_NE(told().find("the warm-up ladder allows 2.1 an hour"), std::string::npos) << told();
  path.erase("last_minute");
  EXPECT_EQ(told().find("last minute"), std::string::npos) << "no path is open";
}

TEST(QueueView, NoLineIsWiderThanATerminal) {
  json path = {{"site", std::string(300, 'm')}, {"source", "news"}, {"rule", "google"}, {"binds", "rate"}};
  path["last_minute"] = {{"delivered", 1'000'000'000},       {"deferred", 1'000'000'000},
                         {"refused", 1'000'000'000},         {"allowed", 1e12},
                         {"allowed_by", "the learned rate"}, {"allowed_to", "pool"}};
  path["one_site"] = true;
  json group = {{"name", std::string(300, 'm')}, {"scheduled", 1'000'000}};
  for (int i = 0; i < 5; ++i)
    group["reasons"].push_back({{"reason",
                                 "deferred: 450 4.7.1 a text of a receiver that goes on and on, to say what"
                                 " it has said before in other words and for other people as well"},
                                {"count", 1'000'000},
                                {"next_seconds", 190'000}});
  const json status = {{"paths", {path}}, {"waiting", {group}}};
  const json summary = {{"by", "site"}, {"groups", {group}}};
  for (const std::string& text : {mx_status_text(status), summary_view(summary)}) {
    for (size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = std::min(text.find('\n', at), text.size());
      EXPECT_LE(end - at, kColumns) << text.substr(at, end - at);
    }
  }
}

TEST(QueueView, MessageShowsEachRecipient) {
  const json message = {{"id", "0000000000001"},
                        {"sender", "n@shop.example"},
                        {"recipients",
                         {{{"recipient", "a@example.net"}, {"state", "delivered"}, {"attempts", 1}},
                          {{"recipient", "b@example.net"},
                           {"state", "pending"},
                           {"attempts", 2},
                           {"due", "2033-05-18T03:33:20.000000Z"},
                           {"reply_code", 451},
                           {"last_reply", "later"},
                           {"mx_host", "mx.example.net"}}}}};
  const std::string view = message_view(message);
  EXPECT_NE(view.find("<a@example.net> delivered, attempts 1\n"), std::string::npos) << view;
  EXPECT_NE(view.find("  next attempt  2033-05-18T03:33:20.000000Z\n"), std::string::npos) << view;
  EXPECT_NE(view.find("  last reply    451 later (mx.example.net)\n"), std::string::npos) << view;
}

TEST(QueueView, AnswersOfAnotherShapeStillPrint) {
  for (const json& odd :
       {json::object(), json{{"messages", 5}, {"sites", "x"}, {"recipients", {1, "two"}}}}) {
    EXPECT_FALSE(summary_view(odd).empty());
    EXPECT_FALSE(list_view(odd).empty());
    EXPECT_FALSE(message_view(odd).empty());
  }
}

}  // namespace
}  // namespace relay::cli
