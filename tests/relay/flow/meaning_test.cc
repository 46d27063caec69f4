// One qualification for the limiter and for the message.
#include "relay/flow/meaning.h"

#include <gtest/gtest.h>

#include "mx/limits/outcome.h"

namespace relay {
namespace {

using Kind = smtp::RecipientOutcome::Kind;

smtp::RecipientOutcome refused(bounce::Stage stage, uint16_t code, const std::string& text,
                               bool local = false) {
  smtp::RecipientOutcome outcome;
  outcome.kind = Kind::kRefused;
  outcome.stage = stage;
  outcome.reply = bounce::Reply::make(code, text);
  outcome.local = local;
  qualify(*bounce::Qualifier::shipped(), {"mx.test", "some.test", "default"}, &outcome);
  return outcome;
}

mx::Outcome::Kind counted(const smtp::RecipientOutcome& outcome) {
  const bounce::Qualification& meaning = outcome.meaning;
  return mx::refusal(meaning.type, meaning.scope, meaning.pace, outcome.local, "").kind;
}

TEST(Meaning, GreylistingCountsAgainstNobodyHoweverItIsSpelled) {
  for (const char* text :
       {"4.7.1 Greylisted, come back", "4.7.1 Graylisted, come back", "4.7.1 Grey-listed, come back",
        "4.7.1 Gray listed, come back", "4.2.0 grey_listed for 5 minutes", "4.7.1 GRAYLISTING in action"}) {
    const smtp::RecipientOutcome outcome = refused(bounce::Stage::kRcpt, 451, text);
    EXPECT_EQ(counted(outcome), mx::Outcome::Kind::kIgnored) << text << ": " << outcome.meaning.rule;
    EXPECT_FALSE(is_final(outcome)) << text;
  }
}

TEST(Meaning, WhatIsFinalDependsOnTheStage) {
  EXPECT_TRUE(is_final(refused(bounce::Stage::kRcpt, 550, "5.1.1 no such user")));
  EXPECT_TRUE(is_final(refused(bounce::Stage::kDot, 554, "5.7.1 spam")));
  EXPECT_FALSE(is_final(refused(bounce::Stage::kGreeting, 554, "5.7.1 go away")));
  EXPECT_FALSE(is_final(refused(bounce::Stage::kRcpt, 451, "4.3.0 later")));
  EXPECT_TRUE(is_final(refused(bounce::Stage::kLocal, 550, "5.6.7 no SMTPUTF8 there", true)));
}

// The type decides, and not the class of the code.
TEST(Meaning, OnlyHardAndWhatARuleEndsAreFinal) {
  struct {
    uint16_t code;
    const char* text;
    bool final;
  } const cases[] = {
      {550, "5.1.1 no such user", true},
      {552, "5.2.2 mailbox full", false},
      {554, "5.7.1 blocked: poor reputation of your address", false},
      {550, "no words that anybody knows", false},
      {552, "5.3.4 message too big", true},
      {450, "4.1.1 user unknown", false},
      {451, "4.7.1 greylisted, come back", false},
  };
  for (const auto& each : cases)
    EXPECT_EQ(is_final(refused(bounce::Stage::kRcpt, each.code, each.text)), each.final) << each.text;
}

// RFC 5321 §4.2.1 and the words contradict each other: the more careful reading wins.
TEST(Meaning, A4yzIsNeverHardHoweverCertainItsWords) {
  const smtp::RecipientOutcome outcome = refused(bounce::Stage::kRcpt, 450, "4.1.1 user unknown");
  EXPECT_EQ(outcome.meaning.type, bounce::ErrorType::kSoft);
  EXPECT_EQ(outcome.meaning.reason, bounce::Reason::kUserUnknown);
}

TEST(Meaning, ATroubleOfOurOwnIsIgnoredUnlessItIsFinal) {
  const smtp::RecipientOutcome later = refused(bounce::Stage::kLocal, 451, "4.7.5 not signed", true);
  EXPECT_EQ(later.meaning.type, bounce::ErrorType::kIgnored);
  EXPECT_EQ(counted(later), mx::Outcome::Kind::kIgnored);
  const smtp::RecipientOutcome never = refused(bounce::Stage::kLocal, 550, "5.6.7 no SMTPUTF8 there", true);
  EXPECT_EQ(never.meaning.type, bounce::ErrorType::kIgnored);
  EXPECT_TRUE(is_final(never));
  EXPECT_EQ(counted(never), mx::Outcome::Kind::kIgnored);
}

TEST(Meaning, ADeliveryHasNone) {
  smtp::RecipientOutcome delivered;
  delivered.kind = Kind::kDelivered;
  delivered.reply = bounce::Reply::make(550, "5.1.1 never read");
  qualify(*bounce::Qualifier::shipped(), {"mx.test", "some.test", "default"}, &delivered);
  EXPECT_TRUE(delivered.meaning.rule.empty());
}

}  // namespace
}  // namespace relay
