#include "dkim/canonical.h"

#include <gtest/gtest.h>

namespace dkim {
namespace {

using conf::Canonicalization;

class Collect final : public ByteSink {
 public:
  void write(std::string_view bytes) override { text.append(bytes); }
  std::string text;
};

std::string body(Canonicalization how, std::string_view text, size_t cut = std::string::npos) {
  Collect out;
  BodyCanonicalizer canonicalizer(how, &out);
  if (cut == std::string::npos) {
    canonicalizer.update(text);
  } else if (cut == 0) {
    for (size_t i = 0; i < text.size(); ++i) canonicalizer.update(text.substr(i, 1));
  } else {
    canonicalizer.update(text.substr(0, cut));
    canonicalizer.update(text.substr(cut));
  }
  canonicalizer.finish();
  return out.text;
}

struct Case {
  const char* name;
  std::string in, simple, relaxed;
};

const std::vector<Case> kCases = {
    {"RFC 6376 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
    {"empty: 3.4.3 and 3.4.4 differ", "", "\r\n", ""},
    {"one empty line", "\r\n", "\r\n", ""},
    {"empty lines only", "\r\n\r\n\r\n", "\r\n", ""},
    {"white lines only", " \r\n\t\r\n", " \r\n\t\r\n", ""},
    {"white line at the end", "a\r\n \t\r\n", "a\r\n \t\r\n", "a\r\n"},
    {"white line between", "a\r\n \r\nb\r\n", "a\r\n \r\nb\r\n", "a\r\n\r\nb\r\n"},
    {"no last line end", "a", "a\r\n", "a\r\n"},
    {"no last line end after an empty line", "\r\n\r\na", "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
    {"white at the end without a line end", "a  ", "a  \r\n", "a\r\n"},
    {"leading white becomes one space", "\t\t a\r\n", "\t\t a\r\n", " a\r\n"},
    {"single spaces stay", "a b c d\r\n", "a b c d\r\n", "a b c d\r\n"},
    {"eight-bit octets", "\xc3\xa9  \xff\r\n", "\xc3\xa9  \xff\r\n", "\xc3\xa9 \xff\r\n"},
    {"a NUL is text", std::string("a\0 \0\r\n", 6), std::string("a\0 \0\r\n", 6),
     std::string("a\0 \0\r\n", 6)},
    {"other control characters are text", "\x01\x0b\x0c\r\n", "\x01\x0b\x0c\r\n", "\x01\x0b\x0c\r\n"},
    {"a bare CR is text", "a \rb\r\n", "a \rb\r\n", "a \rb\r\n"},
    {"a last bare CR", "a\r", "a\r\r\n", "a\r\r\n"},
};

TEST(Body, EachCaseWholeAndCutEverywhere) {
  for (const Case& each : kCases) {
    for (size_t cut = 0; cut <= each.in.size(); ++cut) {
      EXPECT_EQ(body(Canonicalization::kSimple, each.in, cut), each.simple)
          << each.name << ", cut at " << cut;
      EXPECT_EQ(body(Canonicalization::kRelaxed, each.in, cut), each.relaxed)
          << each.name << ", cut at " << cut;
    }
  }
}

TEST(Body, LongerThanItsBuffer) {
  const std::string line(10'000, 'x');
  std::string words;
  for (int i = 0; i < 3000; ++i) words += "word  ";
  EXPECT_EQ(body(Canonicalization::kRelaxed, line + " \r\n" + line), line + "\r\n" + line + "\r\n");
  const std::string out = body(Canonicalization::kRelaxed, words + "\r\n");
  EXPECT_EQ(out.size(), 3000U * 5 - 1 + 2);
  std::string empty;
  for (int i = 0; i < 20'000; ++i) empty += "\r\n";
  EXPECT_EQ(body(Canonicalization::kSimple, empty + "a\r\n"), empty + "a\r\n");
}

TEST(HeaderField, Rfc6376Section3_4_5) {
  std::string relaxed, simple;
  append_canonical_field("A: X", Canonicalization::kRelaxed, &relaxed);
  append_canonical_field("B : Y\t\r\n\tZ  ", Canonicalization::kRelaxed, &relaxed);
  EXPECT_EQ(relaxed, "a:X\r\nb:Y Z\r\n");
  append_canonical_field("A: X", Canonicalization::kSimple, &simple);
  append_canonical_field("B : Y\t\r\n\tZ  ", Canonicalization::kSimple, &simple);
  EXPECT_EQ(simple, "A: X\r\nB : Y\t\r\n\tZ  \r\n");
}

TEST(HeaderField, AnEmptyValue) {
  std::string out;
  append_canonical_field("SUBJECT: \t ", Canonicalization::kRelaxed, &out);
  EXPECT_EQ(out, "subject:\r\n");
}

}  // namespace
}  // namespace dkim
