// Texts that were read before.
#include "bounce/known_texts.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "bounce/reply_rule.h"

namespace bounce {
namespace {

Qualification ask(KnownTexts* texts, const std::string& text, uint16_t code = 550,
                  Occasion place = {Stage::kRcpt, nullptr, {}, {}, {}}) {
  const Reply reply = Reply::make(code, text);
  place.reply = &reply;
  return texts->qualify(place);
}

void expect_same(const Qualification& a, const Qualification& b, const std::string& text) {
  EXPECT_EQ(a.type, b.type) << text;
  EXPECT_EQ(a.reason, b.reason) << text;
  EXPECT_EQ(a.scope, b.scope) << text;
  EXPECT_EQ(a.rule, b.rule) << text;
  EXPECT_EQ(a.row, b.row) << text;
}

TEST(KnownTexts, OneTextToManyAddressesIsReadOnce) {
  KnownTexts texts(Qualifier::shipped(), 1000);
  for (int i = 0; i < 100; ++i) {
    const std::string address = "u" + std::to_string(i) + ".x@d" + std::to_string(i) + ".example";
    EXPECT_EQ(ask(&texts, "5.1.1 <" + address + ">: user unknown").type, ErrorType::kHard);
  }
  EXPECT_EQ(texts.misses(), 1U);
  EXPECT_EQ(texts.hits(), 99U);
}

// Whatever stands around the address: what is remembered is what would be read anew.
TEST(KnownTexts, AnswersAsTheQualifierDoes) {
  KnownTexts texts(Qualifier::shipped(), 1000);
  const char* const forms[] = {"5.1.1 <#>: user unknown",
                               "5.1.1 #: user unknown",
                               "5.2.2 mailbox of # is full.",
                               "5.7.1 (#) blocked, see https://x.example/?a=#&b=1",
                               "5.1.1 rcpt=#;from=#",
                               "5.1.1 [#] # '#' \"#\" no such user",
                               "5.1.1 @# unknown @ user",
                               "utilisateur # inconnu à # été",
                               "5.1.1 мария# нет такого ящика #.",
                               "5.1.1 #. #, #: no such user here"};
  const char* const addresses[] = {"ann@a.example",     "bob.b+c@b.c.example", "q=1/x@d.example",
                                   "x_y-z@[192.0.2.1]", "42@7.example",        "o'hara@e.example"};
  for (const char* form : forms) {
    for (const char* address : addresses) {
      std::string text = form;
      for (size_t at = text.find('#'); at != std::string::npos; at = text.find('#', at + 1))
        text.replace(at, 1, address);
      const Reply reply = Reply::make(550, text);
      expect_same(ask(&texts, text), Qualifier::shipped()->qualify({Stage::kRcpt, &reply}), text);
    }
  }
  EXPECT_GT(texts.hits(), 0U);
}

TEST(KnownTexts, CodeAndStageAreParts) {
  KnownTexts texts(Qualifier::shipped(), 1000);
  EXPECT_EQ(ask(&texts, "user unknown", 550).type, ErrorType::kHard);
  EXPECT_EQ(ask(&texts, "user unknown", 450).type, ErrorType::kSoft);
  EXPECT_NE(ask(&texts, "user unknown", 550, {Stage::kMail, nullptr, {}, {}, {}}).type, ErrorType::kHard);
}

// What it relays for us it may refuse for what our account is.
TEST(KnownTexts, ASmartHostIsPart) {
  KnownTexts texts(Qualifier::shipped(), 1000);
  Occasion place{Stage::kMail, nullptr, {}, {}, {}};
  EXPECT_EQ(ask(&texts, "5.7.1 Client is unauthenticated", 550, place).act, Act::kFail);
  place.smart_host = true;
  EXPECT_NE(ask(&texts, "5.7.1 Client is unauthenticated", 550, place).act, Act::kFail);
}

std::shared_ptr<const Qualifier> with_rule(const std::string& when) {
  std::vector<conf::Problem> problems;
  std::vector<ReplyRule> local = parse_reply_rules(
      "[[reply]]\nname = \"own\"\ntext = [\"go away\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = "
      "\"site\"\n" +
          when,
      "own.toml", &problems);
  EXPECT_TRUE(problems.empty()) << problems.front().text();
  return Qualifier::make(std::move(local), shipped_reply_rules());
}

// Host, domain and source count when a rule looks at them, and only then.
TEST(KnownTexts, PlacesCountWhenARuleLooksAtThem) {
  const Occasion here{Stage::kRcpt, nullptr, "mx.here.example", "here.example", "one"};
  const Occasion there{Stage::kRcpt, nullptr, "mx.there.example", "there.example", "two"};
  for (const char* when :
       {"mx = [\"*.here.example\"]\n", "domains = [\"here.example\"]\n", "sources = [\"one\"]\n"}) {
    KnownTexts texts(with_rule(when), 1000);
    EXPECT_EQ(ask(&texts, "go away", 550, here).rule, "own") << when;
    EXPECT_NE(ask(&texts, "go away", 550, there).rule, "own") << when;
    EXPECT_EQ(ask(&texts, "go away", 550, here).rule, "own") << when;
    EXPECT_EQ(texts.hits(), 1U);
  }
  KnownTexts texts(with_rule(""), 1000);
  ask(&texts, "go away", 550, here);
  ask(&texts, "go away", 550, there);
  EXPECT_EQ(texts.hits(), 1U);
}

TEST(KnownTexts, NewRulesHoldForTextsThatAreKnown) {
  KnownTexts texts(Qualifier::shipped(), 1000);
  const std::string before = ask(&texts, "go away").rule;
  texts.use(with_rule(""));
  EXPECT_EQ(ask(&texts, "go away").rule, "own");
  EXPECT_NE(before, "own");
}

TEST(KnownTexts, ANameThatIsSaidTwiceIsReadAsItWouldBeAnew) {
  KnownTexts texts(Qualifier::shipped(), 1000);
  for (const char* text :
       {"User kim (kim@some.example) not listed", "User kim (lee@some.example) not listed"}) {
    const Reply reply = Reply::make(550, text);
    expect_same(ask(&texts, text), Qualifier::shipped()->qualify({Stage::kRcpt, &reply}), text);
  }
}

// A flood of texts that never come back leaves the common ones known.
TEST(KnownTexts, AFloodOfNewTextsPushesOutNoCommonOne) {
  KnownTexts texts(Qualifier::shipped(), 128);
  for (int i = 0; i < 3; ++i) ask(&texts, "5.1.1 no such user");
  for (int i = 0; i < 5000; ++i) ask(&texts, "queue id " + std::to_string(i) + " not taken");
  const uint64_t hits = texts.hits();
  ask(&texts, "5.1.1 no such user");
  EXPECT_EQ(texts.hits(), hits + 1);
}

TEST(KnownTexts, AVeryLongTextIsReadAnew) {
  KnownTexts texts(Qualifier::shipped(), 128);
  const std::string text = "5.1.1 no such user " + std::string(2000, 'x');
  EXPECT_EQ(ask(&texts, text).type, ErrorType::kHard);
  EXPECT_EQ(ask(&texts, text).type, ErrorType::kHard);
  EXPECT_EQ(texts.hits(), 0U);
}

}  // namespace
}  // namespace bounce
