#include "mx/limits/outcome.h"

#include <gtest/gtest.h>

namespace mx {
namespace {

using conf::ErrorType;
using conf::Pace;
using conf::Scope;
using Kind = Outcome::Kind;

TEST(Outcome, WhatARefusalIsForTheLimiter) {
  const struct {
    const char* name;
    ErrorType type;
    Scope scope;
    Pace pace;
    bool local;
    Kind kind;
    bool sender, recipient, throttling;
  } cases[] = {
      {"no such user", ErrorType::kHard, Scope::kRecipient, Pace::kUnsaid, false, Kind::kHard, false, true,
       false},
      {"mailbox full", ErrorType::kSoft, Scope::kRecipient, Pace::kSame, false, Kind::kSoft, false, true,
       false},
      {"spam", ErrorType::kHard, Scope::kSender, Pace::kUnsaid, false, Kind::kHard, true, false, false},
      {"their disk is full", ErrorType::kSoft, Scope::kSite, Pace::kSame, false, Kind::kSoft, true, false,
       false},
      {"too fast", ErrorType::kSoft, Scope::kConnection, Pace::kSlower, false, Kind::kSoft, true, false,
       true},
      {"the message is bad", ErrorType::kSoft, Scope::kMessage, Pace::kUnsaid, false, Kind::kSoft, false,
       false, false},
      {"greylisted", ErrorType::kSoft, Scope::kMessage, Pace::kSame, false, Kind::kIgnored, false, false,
       false},
      {"counts against nobody", ErrorType::kIgnored, Scope::kSite, Pace::kUnsaid, false, Kind::kIgnored, true,
       false, false},
      {"our own trouble", ErrorType::kHard, Scope::kMessage, Pace::kUnsaid, true, Kind::kIgnored, false,
       false, false},
  };
  for (const auto& c : cases) {
    const Outcome outcome = refusal(c.type, c.scope, c.pace, c.local, "text");
    EXPECT_EQ(outcome.kind, c.kind) << c.name;
    EXPECT_EQ(outcome.sender_scope, c.sender) << c.name;
    EXPECT_EQ(outcome.recipient_scope, c.recipient) << c.name;
    EXPECT_EQ(outcome.throttling, c.throttling) << c.name;
    EXPECT_EQ(outcome.reply, "text");
  }
}

}  // namespace
}  // namespace mx
