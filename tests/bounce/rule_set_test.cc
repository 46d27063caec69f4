#include "bounce/rule_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bounce/diagnostic.h"
#include "bounce/qualifier.h"

namespace bounce {
namespace {

std::vector<ReplyRule> parsed(const std::string& text) {
  std::vector<conf::Problem> problems;
  std::vector<ReplyRule> rules = parse_reply_rules(text, "test.toml", &problems);
  for (const conf::Problem& problem : problems) ADD_FAILURE() << problem.text();
  return rules;
}

std::vector<std::string> problems_of(const std::string& text) {
  std::vector<conf::Problem> problems;
  parse_reply_rules(text, "test.toml", &problems);
  std::vector<std::string> texts;
  for (const conf::Problem& problem : problems) texts.push_back(problem.text());
  return texts;
}

Qualification meaning_of(const Qualifier& qualifier, const std::string& line, Occasion occasion = {}) {
  const Reply reply = read_diagnostic(line);
  occasion.reply = &reply;
  return qualifier.qualify(occasion);
}

TEST(ShippedRules, AreGoodAndEachDecidesItsExamples) {
  for (const ShippedFile& file : shipped_rule_files()) {
    std::vector<conf::Problem> problems;
    EXPECT_FALSE(parse_reply_rules(file.text, file.name, &problems).empty()) << file.name;
    for (const conf::Problem& problem : problems) ADD_FAILURE() << problem.text();
  }
  for (const conf::Problem& problem : Qualifier::shipped()->rules().check_examples())
    ADD_FAILURE() << problem.text();
}

TEST(ShippedRules, EachHasAnExample) {
  for (const ReplyRule& rule : shipped_reply_rules()) EXPECT_FALSE(rule.match.empty()) << rule.name;
}

TEST(ShippedRules, SayHardOnlyOfAddresses) {
  for (const ReplyRule& rule : shipped_reply_rules()) {
    if (rule.type == ErrorType::kHard) {
      EXPECT_EQ(rule.scope, Scope::kRecipient) << rule.name;
    }
  }
}

constexpr const char* kGood = R"([[reply]]
name = "closed-shop"
text = ["members'? only"]
code = ["55x"]
status = ["5.7.*"]
mx = ["*.shop.example"]
reason = "refused"
type = "soft"
scope = "message"
act = "defer"
for = "6h"
match = ["550 5.7.1 Members only"]
no_match = ["450 4.7.1 Members only"]
)";

TEST(ReplyRules, ARuleFitsWhenAllThatItAsksForFits) {
  const std::shared_ptr<const Qualifier> qualifier = Qualifier::make(parsed(kGood), {});
  EXPECT_TRUE(qualifier->rules().check_examples().empty());
  Occasion there;
  there.mx_host = "mx1.shop.example";
  const Qualification meaning = meaning_of(*qualifier, "550 5.7.1 <a@b.example>: Members-only!", there);
  EXPECT_EQ(meaning.rule, "closed-shop");
  EXPECT_EQ(meaning.act, Act::kDefer);
  EXPECT_EQ(meaning.act_for, std::chrono::hours(6));
  EXPECT_EQ(meaning_of(*qualifier, "550 5.7.1 Members only").rule, "unread");
  EXPECT_EQ(meaning_of(*qualifier, "450 4.7.1 Members only", there).rule, "unread");
  EXPECT_EQ(meaning_of(*qualifier, "550 5.1.1 Members only", there).rule, "unread");
  EXPECT_EQ(meaning_of(*qualifier, "550 5.7.1 Members", there).rule, "unread");
}

TEST(ReplyRules, LocalOnesStandBeforeShippedOnes) {
  const std::shared_ptr<const Qualifier> qualifier =
      Qualifier::make(parsed("[[reply]]\nname = \"ours\"\ntext = [\"user unknown\"]\nreason = "
                             "\"unreachable\"\ntype = \"ignored\"\n"
                             "scope = \"site\"\nact = \"source-off\"\nfor = \"1h\"\n"),
                      shipped_reply_rules());
  const Qualification ours = meaning_of(*qualifier, "550 5.1.1 User unknown");
  EXPECT_EQ(ours.rule, "ours");
  EXPECT_EQ(ours.type, ErrorType::kIgnored);
  EXPECT_EQ(ours.act, Act::kSourceOff);
  EXPECT_EQ(meaning_of(*qualifier, "550 5.1.1 No such user").rule, "user-unknown");
}

TEST(ReplyRules, AnExpressionMayNameAListOfWords) {
  const std::shared_ptr<const Qualifier> qualifier = Qualifier::make(parsed(R"([[words]]
name = "door"
any = ['door', "porte d'entrée", '\bgate\b']
[[reply]]
name = "door"
text = ['the {door} is .{0,9}shut', '\{door} \x{2603}']
not_text = ['no {door}']
reason = "refused"
type = "soft"
scope = "site"
match = ["550 The gate is long shut", "550 The porte d entree is shut", "550 {door} ☃"]
no_match = ["550 The doorman is shut", "550 The gates is shut", "550 The door is shut, no gate is open"]
)"),
                                                                     {});
  for (const conf::Problem& problem : qualifier->rules().check_examples()) ADD_FAILURE() << problem.text();
}

// Also itself, as it is above: the words of the program and one more.
TEST(ReplyRules, AListOfWordsMayNameAnother) {
  const std::shared_ptr<const Qualifier> qualifier = Qualifier::make(parsed(R"([[words]]
name = "about-us"
any = ["{about-us}", "sofa"]
[[words]]
name = "ours"
any = ["(the |that ){about-us}"]
[[reply]]
name = "ours"
text = ['{ours}\w* is bad']
reason = "refused"
type = "soft"
scope = "site"
match = ["550 The sofa is bad", "550 The IP address is bad"]
no_match = ["550 The chair is bad"]
)"),
                                                                     {});
  for (const conf::Problem& problem : qualifier->rules().check_examples()) ADD_FAILURE() << problem.text();
}

// A list of the program may be named in any file; one of the file's own hides it.
TEST(ReplyRules, EveryFileMayNameTheListsOfTheProgram) {
  std::vector<conf::Problem> problems;
  EXPECT_TRUE(parse_reply_rules(shipped_words().text, "words.toml", &problems).empty());
  for (const conf::Problem& problem : problems) ADD_FAILURE() << problem.text();
  const std::string rule =
      "[[reply]]\nname = \"a\"\ntext = [\"sofa\"]\nnot_text = [\"{about-us}\"]\n"
      "reason = \"refused\"\ntype = \"soft\"\nscope = \"site\"\n";
  const std::shared_ptr<const Qualifier> by_ours = Qualifier::make(parsed(rule), {});
  EXPECT_EQ(meaning_of(*by_ours, "550 sofa").rule, "a");
  EXPECT_EQ(meaning_of(*by_ours, "550 sofa, your IP address").rule, "unread");
  const std::shared_ptr<const Qualifier> hidden =
      Qualifier::make(parsed("[[words]]\nname = \"about-us\"\nany = [\"chair\"]\n" + rule), {});
  EXPECT_EQ(meaning_of(*hidden, "550 sofa, your IP address").rule, "a");
  EXPECT_EQ(meaning_of(*hidden, "550 sofa, chair").rule, "unread");
}

// RE2 knows the boundaries of ASCII words alone: "\b" beside a letter of another script never matches.
TEST(ReplyRules, NoShippedExpressionAsksForABoundaryThatRe2DoesNotSee) {
  std::vector<ShippedFile> files = shipped_rule_files();
  files.push_back(shipped_words());
  const auto other_script = [](char c) { return static_cast<signed char>(c) < 0; };
  for (const ShippedFile& file : files) {
    const std::string text(file.text);
    for (size_t at = text.find("\\b"); at != std::string::npos; at = text.find("\\b", at + 2)) {
      const size_t opens = text.find_first_not_of("([", at + 2);
      size_t before = at - 1;
      if (text[before] == ']') before = text.rfind('[', before) + 1;
      EXPECT_FALSE(other_script(text[opens]) || other_script(text[before]))
          << file.name << ": " << text.substr(at - std::min<size_t>(at, 20), 40);
    }
  }
}

TEST(ReplyRules, WhatAGuessReadsStaysToQualify) {
  const std::string rule =
      "[[reply]]\nname = \"a\"\ntext = [\"mauve\"]\nreason = \"mailbox-full\"\ntype = \"soft\"\n"
      "scope = \"recipient\"\n";
  const Qualification guessed =
      meaning_of(*Qualifier::make(parsed(rule + "guess = true\n"), {}), "550 Mauve");
  EXPECT_TRUE(guessed.unread);
  EXPECT_EQ(guessed.rule, "a");
  EXPECT_EQ(guessed.reason, Reason::kMailboxFull);
  EXPECT_EQ(guessed.type, ErrorType::kSoft);
  EXPECT_FALSE(meaning_of(*Qualifier::make(parsed(rule), {}), "550 Mauve").unread);
}

TEST(ShippedRules, GuessesAreToldFromReadings) {
  const std::shared_ptr<const Qualifier> shipped = Qualifier::shipped();
  EXPECT_TRUE(meaning_of(*shipped, "552 The user needs more room").unread);
  EXPECT_FALSE(meaning_of(*shipped, "552 5.2.2 Mailbox full").unread);
}

struct BadRule {
  const char* text;
  const char* problem;
};

constexpr BadRule kBad[] = {
    {"[[reply]]\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = \"site\"\n",
     "test.toml:1:1: [[reply]] name: is missing"},
    {"[[reply]]\nname = \"a\"\ntext = [\"(x\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = \"site\"\n",
     "test.toml:3:8: "},
    {"[[reply]]\nname = \"a\"\ntext = [\".*\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = \"site\"\n",
     "fits every text"},
    {"[[reply]]\nname = \"a\"\nreason = \"refused\"\ntype = \"soft\"\nscope = \"site\"\n", "every refusal"},
    {"[[reply]]\nname = \"a\"\ncode = [\"5\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = \"site\"\n",
     "is not a mask"},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"angry\"\ntype = \"soft\"\nscope = \"site\"\n",
     "is no reason"},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"hard\"\nscope = \"site\"\n",
     "must be \"recipient\""},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = "
     "\"site\"\nact = \"pause\"\n",
     "needs a time"},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = "
     "\"site\"\nfor = \"1h\"\n",
     "goes with act"},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = "
     "\"site\"\nstage = [\"later\"]\n",
     "is no stage"},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = "
     "\"site\"\nwords = [\"x\"]\n",
     "words"},
    {"[[reply]]\nname = \"a\"\ntext = [\"x{wrods}\"]\nreason = \"refused\"\ntype = \"soft\"\nscope = "
     "\"site\"\n",
     "{wrods} names no [[words]] of this file or of the program"},
    {"[[reply]]\nname = \"a\"\ncode = [\"550\"]\nreason = \"refused\"\ntype = \"hard\"\nscope = "
     "\"recipient\"\nguess = true\n",
     "a guess is never"},
    {"[[words]]\nany = [\"x\"]\n", "expressions use the list as {name}"},
    {"[[words]]\nname = \"a\"\n", "any: is missing"},
    {"[[words]]\nname = \"A\"\nany = [\"x\"]\n", "small letters"},
    {"[[words]]\nname = \"a\"\nany = [\"(\"]\n", "is not a regular expression"},
    {"[[words]]\nname = \"a\"\nany = [\"x {wrods}\"]\n", "{wrods} names no [[words]]"},
    {"[[words]]\nname = \"a\"\nany = [\"x {b}\"]\n[[words]]\nname = \"b\"\nany = [\"y\"]\n",
     "{b} names no [[words]]"},
    {"[[words]]\nname = \"a\"\nany = [\"x\"]\n[[words]]\nname = \"a\"\nany = [\"y\"]\n",
     "each needs its own"},
};

TEST(ReplyRules, ErrorsSayWhereAndWhat) {
  for (const BadRule& bad : kBad) {
    std::string all;
    for (const std::string& problem : problems_of(bad.text)) all += problem + "\n";
    EXPECT_NE(all.find(bad.problem), std::string::npos) << bad.problem << " in " << all;
    EXPECT_EQ(all.rfind("test.toml:", 0), 0U) << all;
  }
}

TEST(ReplyRules, AnExampleIsToldWhereItStands) {
  const std::vector<ReplyRule> rules = parsed(kGood);
  ASSERT_FALSE(rules[0].match.empty());
  EXPECT_GT(rules[0].match[0].line, rules[0].line);
  EXPECT_GT(rules[0].match[0].column, 1);
}

TEST(ReplyRules, A4yzCannotBeMadeHard) {
  const std::vector<std::string> problems = problems_of(
      "[[reply]]\nname = \"r\"\ncode = [\"450\"]\nreason = \"user-unknown\"\ntype = \"hard\"\n"
      "scope = \"recipient\"\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("never \"hard\""), std::string::npos) << problems[0];
}

TEST(ReplyRules, TwoOfOneNameAreWrong) { EXPECT_EQ(problems_of(std::string(kGood) + kGood).size(), 1U); }

TEST(ReplyRules, AnExampleThatAnotherRuleDecidesIsAProblem) {
  std::vector<ReplyRule> rules = parsed(kGood);
  rules[0].match.push_back({"550 5.7.1 nobody", 7, 3});
  rules[0].no_match.push_back({"550 5.7.2 members only", 0, 1});
  const std::shared_ptr<const Qualifier> qualifier = Qualifier::make(rules, {});
  ASSERT_EQ(qualifier->rules().check_examples().size(), 2U);
  EXPECT_EQ(qualifier->rules().check_examples()[0].text(),
            "test.toml:7:3: rule \"closed-shop\": its example \"550 5.7.1 nobody\": no rule decides it");
}

// An expression that other engines never come back from.
TEST(ReplyRules, NoExpressionHangs) {
  const std::shared_ptr<const Qualifier> qualifier = Qualifier::make(
      parsed("[[reply]]\nname = \"a\"\ntext = [\"(a+)+(a+)+b\"]\nreason = \"refused\"\ntype = \"soft\"\n"
             "scope = \"site\"\n"),
      shipped_reply_rules());
  EXPECT_NE(meaning_of(*qualifier, "550 " + std::string(500'000, 'a')).rule, "a");
}

TEST(Masks, OfCodesStatusesAndNames) {
  EXPECT_TRUE(CodeMask::parse("55x")->fits(552));
  EXPECT_FALSE(CodeMask::parse("55x")->fits(540));
  EXPECT_FALSE(CodeMask::parse("55").has_value());
  EXPECT_FALSE(CodeMask::parse("55y").has_value());
  const auto fits = [](const char* mask, const char* status) {
    return StatusMask::parse(mask)->fits(EnhancedStatus::parse(status));
  };
  EXPECT_TRUE(fits("x.2.2", "4.2.2"));
  EXPECT_TRUE(fits("5.7.600-649", "5.7.606"));
  EXPECT_FALSE(fits("5.7.600-649", "5.7.650"));
  EXPECT_FALSE(fits("x.2.2", ""));
  for (const char* bad : {"5.7", "5.7.x-y", "5.7.9-1", "a.b.c", "5.7.1000", ""})
    EXPECT_FALSE(StatusMask::parse(bad).has_value()) << bad;
  EXPECT_TRUE(fits_mask("*.mail.*.example", "MX1.mail.some.example"));
  EXPECT_FALSE(fits_mask("?.example", "ab.example"));
  EXPECT_TRUE(fits_mask("*", ""));
}

// What a text about us must never do, whatever its code: move a recipient.
TEST(Laws, OfEveryQualification) {
  const Qualifier& qualifier = *Qualifier::shipped();
  for (int stage = 0; stage <= static_cast<int>(Stage::kUnknown); ++stage) {
    Occasion occasion;
    occasion.stage = static_cast<Stage>(stage);
    const bool early = before_mail(occasion.stage) || occasion.stage == Stage::kMail;
    for (const char* line : {"450 4.1.1 User unknown", "550 5.1.1 User unknown", "421 user unknown",
                             "554 5.7.1 spam", "550 no"}) {
      const Qualification meaning = meaning_of(qualifier, line, occasion);
      if (line[0] == '4') {
        EXPECT_NE(meaning.type, ErrorType::kHard) << line;
      }
      if (early) {
        EXPECT_NE(meaning.scope, Scope::kRecipient) << line << " at " << to_text(occasion.stage);
        EXPECT_NE(meaning.type, ErrorType::kHard) << line;
      }
      if (meaning.type == ErrorType::kHard) {
        EXPECT_EQ(meaning.scope, Scope::kRecipient);
      }
    }
  }
}

}  // namespace
}  // namespace bounce
