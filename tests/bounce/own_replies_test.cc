// Replies in eleven languages (data/replies.tsv by meaning, data/receivers.tsv by who says them,
// data/unseen.tsv, data/heard.tsv and data/blind.tsv written without a look at the rules, data/ours.tsv by
// whose address, name or quota is meant, data/elsewhere.tsv by what is said behind the recipient), and what
// must follow from each.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bounce/diagnostic.h"
#include "bounce/qualifier.h"
#include "bounce/text_template.h"

namespace bounce {
namespace {

struct Row {
  std::string language;
  char kind;
  std::string text;
};

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const char* name : {"replies.tsv", "receivers.tsv", "unseen.tsv", "heard.tsv", "blind.tsv", "ours.tsv",
                           "elsewhere.tsv"}) {
    std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/tests/bounce/data/" + name);
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line[0] == '#') continue;
      const size_t first = line.find('\t');
      all.push_back({line.substr(0, first), line[first + 1], line.substr(first + 3)});
    }
  }
  return all;
}

Qualification meaning_of(const std::string& text, Stage stage = Stage::kUnknown) {
  const Reply reply = read_diagnostic(text);
  return Qualifier::shipped()->qualify({stage, &reply});
}

bool about_recipient(char kind) {
  return kind == 'u' || kind == 'v' || kind == 'd' || kind == 'f' || kind == 'i';
}

TEST(OwnReplies, AreEnoughInElevenLanguages) {
  std::map<std::string, int> languages;
  int about_us = 0;
  for (const Row& row : rows()) {
    ++languages[row.language];
    about_us += about_recipient(row.kind) ? 0 : 1;
  }
  EXPECT_EQ(languages.size(), 11U);
  for (const auto& [language, count] : languages) EXPECT_GE(count, 40) << language;
  EXPECT_GE(rows().size(), 5500U);
  EXPECT_GE(about_us, 2500);
}

// As the peer sends it: lines that end behind `words` words, each with the code and the status before it.
Reply wrapped(const Reply& whole, size_t words) {
  std::string bytes;
  const std::string code = std::to_string(whole.code), status = whole.enhanced.text() + " ";
  std::string text = whole.text();
  if (!text.starts_with(status)) return whole;
  text.erase(0, status.size());
  size_t in_line = 0;
  std::string line = code + "-" + status;
  for (const char c : text) {
    if (c == ' ' && ++in_line % words == 0) {
      bytes += line + "\r\n";
      line = code + "-" + status;
    } else {
      line += c;
    }
  }
  line[3] = ' ';
  bytes += line + "\r\n";
  std::string_view input = bytes;
  Reply out;
  ReplyParser parser;
  EXPECT_TRUE(parser.feed(&input, &out).value());
  return out;
}

TEST(OwnReplies, MeanTheSameHoweverTheyAreWrapped) {
  int wraps = 0;
  for (const Row& row : rows()) {
    const Reply whole = read_diagnostic(row.text);
    if (whole.code == 0 || !whole.enhanced.present()) continue;
    const Qualification meaning = Qualifier::shipped()->qualify({Stage::kUnknown, &whole});
    for (const size_t words : {1, 2, 3, 5}) {
      const Reply lines = wrapped(whole, words);
      wraps += lines.lines.size() > 1 ? 1 : 0;
      EXPECT_EQ(text_template(lines), text_template(whole)) << row.text;
      const Qualification again = Qualifier::shipped()->qualify({Stage::kUnknown, &lines});
      EXPECT_EQ(again.rule, meaning.rule) << row.text << " in lines of " << words;
    }
  }
  EXPECT_GE(wraps, 8000);
}

std::string read_as(const Qualification& meaning) {
  return std::string(to_text(meaning.type)) + "/" + label(meaning.reason) + "/" + to_text(meaning.scope);
}

// What an operator decides of a row is then true of all its replies.
TEST(OwnReplies, OfOneRowMeanTheSame) {
  std::map<uint64_t, std::pair<std::string, std::string>> met;
  std::vector<Row> all = rows();
  for (const char* text :
       {"550 5.1.1 see https://help.some.example/?p=NoSuchUser",
        "550 5.1.1 see https://help.some.example/?p=DisabledUser",
        "550 5.1.1 for details: http://some.example/quota-exceeded",
        "550 5.1.1 for details: http://some.example/no-such-user",
        "450 4.7.1 mx.quota-full.example Error: see there", "450 4.7.1 mx.some.example Error: see there",
        "554 5.7.1 rejected by zen.spamhaus.org", "554 5.7.1 rejected by mx.some.example", "550 full.example",
        "550 line of 998 octets", "550 line of 999 octets", "450 host said: 550 no", "450 host said: 450 no"})
    all.push_back({"en", 'x', text});
  for (const Row& row : all) {
    const Qualification meaning = meaning_of(row.text, Stage::kRcpt);
    const auto [first, fresh] = met.try_emplace(meaning.row, row.text, read_as(meaning));
    if (fresh) continue;
    EXPECT_EQ(first->second.second, read_as(meaning)) << first->second.first << "\n" << row.text;
  }
}

// A server names itself and a page of its own in most replies: no word of these is said of anybody.
TEST(OwnReplies, MeanTheSameWithTheNameOfAHost) {
  for (const Row& row : rows()) {
    const std::string before = read_as(meaning_of(row.text));
    for (const std::string name :
         {"spamfilter.isp.example", "mx-full.isp.example", "user-mail.example", "greylist.isp.example"}) {
      for (const std::string& more : {" (" + name + ")", " https://" + name + "/help"})
        EXPECT_EQ(read_as(meaning_of(row.text + more)), before) << row.text << more;
    }
  }
}

TEST(OwnReplies, GetTheirReason) {
  const std::map<char, std::set<Reason>> wanted = {{'u', {Reason::kUserUnknown}},
                                                   {'v', {Reason::kUserUnknown}},
                                                   {'d', {Reason::kAccountDisabled}},
                                                   {'f', {Reason::kMailboxFull}},
                                                   {'i', {Reason::kInvalidDomain}},
                                                   {'r', {Reason::kRefused}},
                                                   {'p', {Reason::kRefused, Reason::kUnreachable}},
                                                   {'n', {Reason::kUnreachable}},
                                                   {'m', {Reason::kRefused, Reason::kUnreachable}},
                                                   {'x', {Reason::kRefused, Reason::kUnreachable}}};
  for (const Row& row : rows()) {
    const Qualification meaning = meaning_of(row.text);
    EXPECT_TRUE(wanted.at(row.kind).contains(meaning.reason))
        << row.language << " " << row.kind << " " << row.text << ": " << label(meaning.reason) << " by "
        << meaning.rule;
    if (row.kind == 'u' && row.text[0] == '5') {
      EXPECT_EQ(meaning.type, ErrorType::kHard) << row.text << " by " << meaning.rule;
    }
    if (row.kind == 'v') {
      EXPECT_NE(meaning.type, ErrorType::kHard) << row.text << " by " << meaning.rule;
    }
    if (row.kind == 'f') {
      EXPECT_EQ(meaning.type, ErrorType::kSoft) << row.text;
    }
    if (row.kind == 'p') {
      EXPECT_EQ(meaning.pace, Pace::kSlower) << row.text << " by " << meaning.rule;
    }
    if (row.kind == 'm') {
      EXPECT_TRUE(meaning.scope == Scope::kMessage || meaning.scope == Scope::kSender)
          << row.text << " by " << meaning.rule;
    }
    if (about_recipient(row.kind)) {
      EXPECT_EQ(meaning.scope, Scope::kRecipient) << row.text << " by " << meaning.rule;
    }
  }
}

// What is said about us, our pace or our message never moves a recipient, wherever it is met.
TEST(OwnReplies, WhatIsAboutUsNeverMovesARecipient) {
  for (const Row& row : rows()) {
    if (about_recipient(row.kind)) continue;
    for (const Stage stage : {Stage::kUnknown, Stage::kGreeting, Stage::kMail, Stage::kRcpt, Stage::kDot}) {
      const Qualification meaning = meaning_of(row.text, stage);
      EXPECT_NE(meaning.scope, Scope::kRecipient)
          << row.text << " at " << to_text(stage) << " by " << meaning.rule;
      EXPECT_NE(meaning.type, ErrorType::kHard) << row.text;
    }
  }
}

// Nor does it when the code and the status name the mailbox: the words are certain.
TEST(OwnReplies, NorWhenTheCodeContradictsTheWords) {
  for (const Row& row : rows()) {
    if (about_recipient(row.kind)) continue;
    std::string words = row.text;
    if (words.size() > 4 && words.find_first_not_of("0123456789") == 3) words = words.substr(4);
    if (words.find_first_not_of("#.0123456789") > 5) words = words.substr(words.find(' ') + 1);
    for (const char* code : {"550 5.1.1 ", "550 ", "553 5.3.0 "}) {
      const Qualification meaning = meaning_of(code + words, Stage::kRcpt);
      EXPECT_NE(meaning.type, ErrorType::kHard) << code << words << " by " << meaning.rule;
    }
  }
}

}  // namespace
}  // namespace bounce
