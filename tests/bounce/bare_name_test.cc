#include "bounce/bare_name.h"

#include <gtest/gtest.h>

#include <string>

#include "bounce/diagnostic.h"
#include "bounce/known_texts.h"
#include "bounce/text_template.h"

namespace bounce {
namespace {

TEST(BareName, IsLeftOutWhereItIsAWordOfItsOwn) {
  EXPECT_EQ(without_bare_name("jdoe: no such user", "jdoe"), "*: no such user");
  EXPECT_EQ(without_bare_name("no such user (JDoe)", "jdoe"), "no such user (*)");
  EXPECT_EQ(without_bare_name("jdoe and jdoe.", "jdoe"), "* and *.");
  EXPECT_EQ(without_bare_name("/home/j.doe-3/Maildir: not found", "j.doe-3"), "/home/*/Maildir: not found");
  EXPECT_EQ(without_bare_name("пётр не найден", "пётр"), "* не найден");
}

TEST(BareName, StaysWithinOtherNames) {
  for (const char* text : {"<jdoe@some.example>: no such user", "mx.jdoe.example says no",
                           "jdoe-2 is unknown", "b+jdoe=x", "jdoes", "a@jdoe"})
    EXPECT_EQ(without_bare_name(text, "jdoe"), text);
}

TEST(BareName, IsNoWordThatAReplyMayHave) {
  for (const char* word :
       {"user", "unknown", "mailbox", "postmaster", "no", "not", "sender", "quota", "temporary", "users"})
    EXPECT_EQ(without_bare_name(std::string("550 this ") + word + " is it", word),
              std::string("550 this ") + word + " is it");
  EXPECT_EQ(without_bare_name("550 5.1.1 no", "550"), "550 5.1.1 no");
  EXPECT_EQ(without_bare_name("a user a", "a"), "a user a");
  EXPECT_EQ(without_bare_name("no such user", ""), "no such user");
}

Qualification asked(KnownTexts* texts, const std::string& line, std::string_view local_part) {
  const Reply reply = read_diagnostic(line);
  Occasion occasion{.stage = Stage::kRcpt, .reply = &reply, .local_part = local_part};
  const Qualification meaning = Qualifier::shipped()->qualify(occasion);
  EXPECT_EQ(texts->qualify(occasion).row, meaning.row) << line;
  return meaning;
}

// One failure is one row however it is personalised.
TEST(BareName, ManyRecipientsAreOneRow) {
  for (const char* form : {"550 %: no such user", "550 5.1.1 % is not known here", "550 (%) unknown",
                           "550 User % not listed in the directory", "550 5.2.2 % is over quota"}) {
    KnownTexts texts(Qualifier::shipped(), 1000);
    uint64_t row = 0;
    for (const std::string name : {"jdoe", "kim", "anna.lee", "o_brien", "x4711", "zoltan"}) {
      std::string line = form;
      line.replace(line.find('%'), 1, name);
      const Qualification meaning = asked(&texts, line, name);
      if (row == 0) row = meaning.row;
      EXPECT_EQ(meaning.row, row) << line;
      EXPECT_EQ(meaning.scope, Scope::kRecipient) << line << " by " << meaning.rule;
    }
    EXPECT_EQ(texts.misses(), 1U) << form;
  }
}

}  // namespace
}  // namespace bounce
