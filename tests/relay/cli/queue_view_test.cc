#include "relay/cli/queue_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
                        {"on_hold", true},
                        {"next",
                         {{"recipient", "a@example.net"},
                          {"reply_code", 451},
                          {"enhanced_status", "4.7.1"},
                          {"last_reply", "later\x1b"}}}}}},
                     {"more", true}};
  const std::string view = list_view(list);
  EXPECT_NE(view.find("0000000000001    1h0m         10        2  <> -> a@example.net [hold]\n"),
            std::string::npos)
      << view;
  EXPECT_NE(view.find("451 4.7.1 later?\n"), std::string::npos) << view;
  EXPECT_NE(view.find("There are more"), std::string::npos);
  EXPECT_EQ(list_view(json{{"messages", json::array()}}), "No message matches.\n");
}

TEST(QueueView, SummaryShoutsWhenNothingIsAccepted) {
  const json summary = {{"messages", 3},
                        {"accepting", false},
                        {"not_accepting_why", "disk below the reserve"},
                        {"since_start", {{"delivered", 9}}},
                        {"sites",
                         {{{"site", "mx.example.net"},
                           {"ready", 1},
                           {"in_flight", 2},
                           {"connections", 3},
                           {"waiting_for", "refused"}}}}};
  const std::string view = summary_view(summary);
  EXPECT_NE(view.find("messages              3\n"), std::string::npos) << view;
  EXPECT_NE(view.find("  delivered           9\n"), std::string::npos) << view;
  EXPECT_NE(view.find("NOT ACCEPTING MAIL: disk below the reserve\n"), std::string::npos) << view;
  EXPECT_NE(view.find("mx.example.net (refused)\n"), std::string::npos) << view;
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
