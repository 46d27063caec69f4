#include "bounce/classification.h"

#include <gtest/gtest.h>

#include <string>

namespace bounce {
namespace {

std::string classified(const std::string& line) {
  Classifier classifier(Qualifier::shipped().get(), {});
  std::string out;
  classifier.append(line, &out);
  return out;
}

TEST(Classification, SaysAllOfAReply) {
  EXPECT_EQ(
      classified("550 5.1.1 <a@some.example>: User unknown"),
      "{\"code\":550,\"status\":\"5.1.1\",\"template\":\"550 5.1.1 <*>: User unknown\",\"type\":\"Hard\","
      "\"reason\":\"User "
      "unknown\",\"reason_code\":1,\"scope\":\"recipient\",\"pace\":\"unsaid\",\"rule\":\"user-unknown\","
      "\"row\":\"5b14b7beed1a818f\"}\n");
}

TEST(Classification, HearsOfTheCommandThatWasRefused) {
  for (const char* text :
       {"550 5.1.0 Address rejected.", "550 5.1.1 no such user", "550 <a@some.example>: User unknown"}) {
    const std::string line = std::string("host mx.some.example said: ") + text;
    EXPECT_EQ(classified(line + " (in reply to MAIL FROM command)").find("\"Hard\""), std::string::npos)
        << text;
    EXPECT_EQ(classified(line + " (in reply to EHLO command)").find("\"recipient\""), std::string::npos)
        << text;
    EXPECT_NE(classified(line + " (in reply to RCPT TO command)").find("\"Hard\""), std::string::npos)
        << text;
  }
}

TEST(Classification, WhatIsNotThereIsNull) {
  const std::string answer = classified("no words of mail");
  EXPECT_NE(answer.find("\"code\":null,\"status\":null"), std::string::npos) << answer;
}

TEST(Classification, AnyLineGetsOneLine) {
  const std::string lines[] = {"",
                               "550",
                               "abc",
                               "999 x",
                               std::string("550 \0\x01\"\\\xff", 8),
                               std::string(500'000, 'a'),
                               "550 " + std::string(500'000, '('),
                               "\"\"\"\"",
                               "550-",
                               "-550",
                               "550 5.1.1"};
  for (const std::string& line : lines) {
    const std::string answer = classified(line);
    EXPECT_EQ(answer.find('\n'), answer.size() - 1) << line.substr(0, 20);
    EXPECT_EQ(answer.front(), '{');
    for (const char c : answer) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  }
}

TEST(Classification, ATextThatComesBackGetsTheSameAnswer) {
  Classifier classifier(Qualifier::shipped().get(), {});
  std::string first, second;
  classifier.append("552 5.2.2 mailbox full", &first);
  classifier.append("552 5.2.2 mailbox full", &second);
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace bounce
