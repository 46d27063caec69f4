#include "dkim/mail_fields.h"

#include <gtest/gtest.h>

namespace dkim {
namespace {

TEST(SplitMail, FieldsAndBody) {
  const auto mail = split_mail("A: 1\r\nB : 2\r\n 3\r\n\r\nbody\r\n");
  ASSERT_TRUE(mail.ok());
  ASSERT_EQ(mail.value().fields.size(), 2U);
  EXPECT_EQ(mail.value().fields[1].name, "B");
  EXPECT_EQ(mail.value().fields[1].whole, "B : 2\r\n 3");
  EXPECT_EQ(mail.value().fields[1].value(), " 2\r\n 3");
  EXPECT_EQ(mail.value().body, "body\r\n");
}

TEST(SplitMail, NoBody) {
  EXPECT_EQ(split_mail("A: 1\r\n").value().body, "");
  EXPECT_EQ(split_mail("A: 1").value().fields.size(), 1U);
  EXPECT_EQ(split_mail("A: 1\r\n\r\n").value().body, "");
}

TEST(SplitMail, WhatCannotBeSigned) {
  const std::pair<const char*, const char*> cases[] = {
      {"A: 1\nB: 2\r\n\r\n", "line 1 of the header ends in a bare LF"},
      {"A: 1\rB: 2\r\n\r\n", "line 1 of the header has a bare CR"},
      {"A: 1\r\nnonsense\r\n\r\n", "line 2 of the header is no header field"},
      {": 1\r\n\r\n", "line 1 of the header is no header field"},
      {" A: 1\r\n\r\n", "line 1 of the header continues a field, but there is none before it"},
      {"\r\nbody\r\n", "the message has no header"},
      {"", "the message has no header"},
  };
  for (const auto& [mail, why] : cases) {
    const auto parsed = split_mail(mail);
    ASSERT_FALSE(parsed.ok()) << mail;
    EXPECT_EQ(parsed.error().detail, why);
  }
}

std::string domain_of(const std::string& from) {
  const std::string mail = "From:" + from + "\r\n\r\n";
  const auto parsed = split_mail(mail);
  const auto domain = from_domain(parsed.value());
  return domain.ok() ? domain.value() : "! " + domain.error().detail;
}

TEST(FromDomain, Forms) {
  EXPECT_EQ(domain_of(" a@example.com"), "example.com");
  EXPECT_EQ(domain_of(" A <a@Example.COM>"), "example.com");
  EXPECT_EQ(domain_of(" \"x@evil.example\" <a@example.com>"), "example.com");
  EXPECT_EQ(domain_of(" \"\\\" <x@evil.example>\" <a@example.com>"), "example.com");
  EXPECT_EQ(domain_of(" (x@evil.example (nested)) a@example.com (y)"), "example.com");
  EXPECT_EQ(domain_of(" a@example.com, b@example.net"), "example.com");
  EXPECT_EQ(domain_of(" A <a@example.com>, B <b@example.net>"), "example.com");
  EXPECT_EQ(domain_of(" \"a@b\"@example.com"), "example.com");
  EXPECT_EQ(domain_of("\r\n A\r\n <a@example.com>"), "example.com");
  EXPECT_EQ(domain_of(" A <a@b\xc3\xbc"
                      "cher.example>"),
            "xn--bcher-kva.example");
  EXPECT_EQ(domain_of(" team: a@example.com, b@example.net;"), "example.com");
  EXPECT_EQ(domain_of(" nobody"), "! its From field has no address with a domain");
  EXPECT_EQ(domain_of(" \"unclosed"), "! its From field has no address with a domain");
}

TEST(FromDomain, NoneAndTwo) {
  const auto none = split_mail("To: a@b.example\r\n\r\n");
  EXPECT_EQ(from_domain(none.value()).error().detail, "the message has no From field");
  const auto two = split_mail("From: a@b.example\r\nfrom: c@d.example\r\n\r\n");
  EXPECT_EQ(from_domain(two.value()).error().detail, "the message has two From fields");
}

}  // namespace
}  // namespace dkim
