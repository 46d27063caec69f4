#include "relay/smtp/logged_header.h"

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

TEST(LoggedHeader, TakesTheMessageIdAndTheListedFields) {
  const auto header = logged_header(
      "Received: by x\r\n\tfrom y\r\nMESSAGE-ID:\r\n <1.2@x.test>\r\nx-campaign : spring\r\n sale\t1 \r\n"
      "X-Campaign: second\r\nX-Other: no\r\n\r\nX-List: in the body\r\n",
      {"X-List", "X-Campaign"});
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(header->message_id, "1.2@x.test");
  EXPECT_EQ(header->fields, (Fields{{"X-Campaign", "spring sale 1"}}));
}

TEST(LoggedHeader, IsNothingWhereThereIsNothing) {
  EXPECT_EQ(logged_header("Subject: x\r\n\r\nMessage-ID: <1@x>\r\n", {"X-List"}), nullptr);
  EXPECT_EQ(logged_header("", {"X-List"}), nullptr);
  EXPECT_EQ(logged_header("no header at all\r\nMessage-ID: <1@x>\r\n", {}), nullptr);
  EXPECT_EQ(logged_header("\r\nMessage-ID: <1@x>\r\n", {}), nullptr);
}

TEST(LoggedHeader, IsBoundedAndCutsNoCharacter) {
  std::string message = "Message-ID: <" + std::string(900, 'm') + "@x>\r\nX-Long: ";
  for (int i = 0; i < 200; ++i) message += "\xc3\xa9";
  message += 'a' + std::string(100'000, 'b') + "\r\nX-Empty:\r\n\r\n";
  const auto header = logged_header(message, {"X-Long", "X-Empty"});
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(header->message_id.size(), conf::LoggedHeader::kIdOctets);
  ASSERT_EQ(header->fields.size(), 2U);
  EXPECT_EQ(header->fields[0].second.size(), conf::LoggedHeader::kValueOctets);
  EXPECT_EQ(header->fields[1], (std::pair<std::string, std::string>("X-Empty", "")));
  const std::vector<std::string> many(100, "X-Long");
  EXPECT_EQ(logged_header(message, many)->fields.size(), conf::LoggedHeader::kMostFields);
}

TEST(LoggedHeader, ReadsWhatIsCutAnywhere) {
  const std::string message = "X-A: b\r\n c\r\nMessage-ID: <1@x>\r\n\r\n";
  for (size_t length = 0; length <= message.size(); ++length)
    (void)logged_header(message.substr(0, length), {"X-A", "X-B"});
  EXPECT_EQ(logged_header("Message-ID: no brackets", {})->message_id, "no brackets");
  EXPECT_EQ(logged_header("Message-ID: <open", {})->message_id, "open");
}

}  // namespace
}  // namespace relay::smtp
