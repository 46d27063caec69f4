#include "bounce/protocol_words.h"

#include <gtest/gtest.h>

namespace bounce {
namespace {

Reply reply(const std::string& line) {
  return Reply::make(static_cast<uint16_t>(std::stoi(line)), line.size() > 4 ? line.substr(4) : "");
}

TEST(ProtocolWords, TooManyRecipientsInAnyCode) {
  for (const char* line :
       {"452 4.5.3 Too many recipients", "452 4.5.3", "452 #4.5.3 Too many recipients.",
        "552 5.5.3 Maximum limit of 3 recipients reached", "552 too many recipients",
        "452 Too many recipients received this session", "451 4.5.3 Too many recipients",
        "452 4.3.1 Too many recipients, send the rest later", "550 5.5.3 Too many recipients",
        "421 4.5.3 Too many recipients in this transaction", "450 max rcpts limit reached",
        "452 4.5.3 recipient in a separate transaction. - gsmtp", "554 5.5.3 RCPT limit exceeded",
        "550 Too many RCPT TO commands", "452 4.5.3 Recipients belong to multiple regions ATTR38"}) {
    EXPECT_TRUE(says_too_many_recipients(reply(line))) << line;
  }
}

TEST(ProtocolWords, FullMailboxesAndPacesAreNotTooManyRecipients) {
  for (const char* line :
       {"452 4.2.2 mailbox full", "552 5.2.2 over quota", "452 insufficient system storage",
        "552 message size exceeds fixed limit", "450 4.7.1 too many recipients per hour from you",
        "452 4.5.3 too many recipients today", "550 5.1.1 no such user", "250 ok"}) {
    EXPECT_FALSE(says_too_many_recipients(reply(line))) << line;
  }
}

TEST(ProtocolWords, TooManyMessagesOnAConnection) {
  for (const char* line :
       {"421 4.7.0 too many messages on this connection, closing", "452 4.5.3 Too many mails in this session",
        "550 Maximum messages per session reached", "421 message limit per connection exceeded",
        "450 4.7.1 Max message count per connection, reconnect"}) {
    EXPECT_TRUE(says_too_many_messages(reply(line))) << line;
  }
  for (const char* line :
       {"421 too many connections", "421 4.7.0 too many concurrent sessions, too many messages waiting",
        "450 too many messages per hour on this connection", "451 slow down", "250 ok"}) {
    EXPECT_FALSE(says_too_many_messages(reply(line))) << line;
  }
}

TEST(ProtocolWords, BadSequenceIsNotPermission) {
  for (const char* line : {"503 5.5.1 Error: nested MAIL command", "503 bad sequence of commands", "503",
                           "503 5.5.1 need MAIL before RCPT", "501 5.5.1 Sender already specified",
                           "550 Bad sequence of commands", "500 5.5.1 Say EHLO first",
                           "503 5.5.1 valid RCPT command must precede DATA"}) {
    EXPECT_TRUE(says_bad_sequence(reply(line))) << line;
  }
  for (const char* line : {"503 5.7.1 authentication required", "503 This server requires authentication",
                           "550 5.1.1 no such user", "503 5.1.1 user unknown", "503 relay access denied",
                           "550 5.7.1 bad reputation"}) {
    EXPECT_FALSE(says_bad_sequence(reply(line))) << line;
  }
}

TEST(ProtocolWords, IdleConnectionsTeachNoNumber) {
  EXPECT_TRUE(says_idle_or_closing_down(reply("421 4.4.2 closing")));
  EXPECT_TRUE(says_idle_or_closing_down(reply("421 Idle time-out")));
  EXPECT_TRUE(says_idle_or_closing_down(reply("421 4.3.2 shutting down")));
  EXPECT_FALSE(says_idle_or_closing_down(reply("421 4.7.0 enough messages")));
}

}  // namespace
}  // namespace bounce
