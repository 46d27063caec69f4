#include "conf/vocab/address.h"

#include <gtest/gtest.h>

namespace conf {
namespace {

struct Case {
  std::string text;
  const char* canonical;  // null: refused
};

TEST(Domain, Rfc5321_4_1_2_CanonicalForm) {
  const std::string label63(63, 'a'), label64(64, 'a');
  const std::string long_but_good = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
  const Case cases[] = {
      {"example.com", "example.com"},
      {"EXAMPLE.Com", "example.com"},
      {"example.com.", "example.com"},
      {"localhost", "localhost"},
      {"a_b.example", "a_b.example"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"bücher.example", "xn--bcher-kva.example"},
      {"BÜCHER.example", "xn--bcher-kva.example"},
      {"faß.de", "xn--fa-hia.de"},  // IDNA2008, non-transitional
      {"[192.0.2.1]", "[192.0.2.1]"},
      {"[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]"},
      {"[ipv6:2001:db8:0:0::1]", "[IPv6:2001:db8::1]"},
      {long_but_good, long_but_good.c_str()},
      {"", nullptr},
      {".", nullptr},
      {"a..b", nullptr},
      {".a", nullptr},
      {"-a.b", nullptr},
      {"a-.b", nullptr},
      {"a b", nullptr},
      {"a/b", nullptr},
      {"a@b", nullptr},
      {label64 + ".com", nullptr},
      {long_but_good + ".cc", nullptr},
      {"[192.0.2.256]", nullptr},
      {"[2001:db8::1]", nullptr},  // RFC 5321 §4.1.3: with the tag IPv6
      {"[]", nullptr},
      {"[192.0.2.1", nullptr},
      {"\xff\xfe.example", nullptr},
  };
  for (const Case& each : cases) {
    const Result<Domain> domain = Domain::parse(each.text);
    if (each.canonical == nullptr) {
      EXPECT_FALSE(domain.ok()) << each.text;
    } else {
      ASSERT_TRUE(domain.ok()) << each.text << ": " << domain.error().detail;
      EXPECT_EQ(domain.value().text(), each.canonical);
    }
  }
}

TEST(Domain, LiteralAddress) {
  EXPECT_EQ(Domain::parse("[192.0.2.1]").value().literal_address(), "192.0.2.1");
  EXPECT_EQ(Domain::parse("[IPv6:2001:db8::1]").value().literal_address(), "2001:db8::1");
  EXPECT_EQ(Domain::parse("example.com").value().literal_address(), "");
}

TEST(Mailbox, Rfc5321_4_1_2_LocalParts) {
  const std::string local64(64, 'x'), local257(257, 'x'), address64 = local64 + "@b";
  const Case cases[] = {
      {"a@b.c", "a@b.c"},
      {"A.b+C@B.C", "A.b+C@b.c"},
      {"!#$%&'*+-/=?^_`{|}~@b", "!#$%&'*+-/=?^_`{|}~@b"},
      {"\"a b\"@c", "\"a b\"@c"},
      {"\"ab\"@c", "ab@c"},  // quotes that are not needed go
      {"\"a\\\"b\"@c", "\"a\\\"b\"@c"},
      {"\"a@b\"@c", "\"a@b\"@c"},
      {"\"\"@c", "\"\"@c"},
      {"user@[192.0.2.1]", "user@[192.0.2.1]"},
      {"dörte@bücher.example", "dörte@xn--bcher-kva.example"},
      {address64, address64.c_str()},
      {"", nullptr},
      {"a", nullptr},
      {"@b", nullptr},
      {"a@", nullptr},
      {".a@b", nullptr},
      {"a.@b", nullptr},
      {"a..b@c", nullptr},
      {"a b@c", nullptr},
      {"a@b@c", nullptr},
      {"\"a@c", nullptr},
      {"\"a\"b@c", nullptr},
      {"\"a\r\nb\"@c", nullptr},
      {"a\r@c", nullptr},
      {"<a@b>", nullptr},
      {local257 + "@b", nullptr},
  };
  for (const Case& each : cases) {
    const Result<Mailbox> mailbox = Mailbox::parse(each.text);
    if (each.canonical == nullptr) {
      EXPECT_FALSE(mailbox.ok()) << each.text;
    } else {
      ASSERT_TRUE(mailbox.ok()) << each.text << ": " << mailbox.error().detail;
      EXPECT_EQ(mailbox.value().text(), each.canonical);
    }
  }
}

TEST(Mailbox, Rfc5321_4_5_1_BarePostmaster) {
  EXPECT_FALSE(Mailbox::parse("postmaster").ok());
  ASSERT_TRUE(Mailbox::parse("Postmaster", true).ok());
  EXPECT_EQ(Mailbox::parse("Postmaster", true).value().text(), "Postmaster");
  EXPECT_FALSE(Mailbox::parse("webmaster", true).ok());
}

TEST(Mailbox, NullAndUtf8) {
  EXPECT_TRUE(Mailbox{}.is_null());
  EXPECT_EQ(Mailbox{}.text(), "");
  EXPECT_TRUE(Mailbox::parse("dörte@b").value().has_utf8_local());
  EXPECT_FALSE(Mailbox::parse("doerte@bücher.example").value().has_utf8_local());
}

TEST(DomainMask, Glob) {
  struct {
    const char *mask, *domain;
    bool matches;
  } const cases[] = {
      {"example.com", "example.com", true},
      {"Example.COM", "example.com", true},
      {"example.com", "a.example.com", false},
      {"*.example.com", "a.example.com", true},
      {"*.example.com", "example.com", false},
      {"*", "anything.at.all", true},
      {"*", "", true},
      {"", "", true},
      {"", "a", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"*a*b*c*", "xxaxxbxxcxx", true},
      {"*a*b*c*", "xxaxxcxxbxx", false},
      {"mail*.example.*", "mail7.example.net", true},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(domain_matches(each.mask, each.domain), each.matches) << each.mask << " " << each.domain;
  }
  // No mask takes more than linear time in practice.
  EXPECT_FALSE(domain_matches("*a*a*a*a*a*a*a*a*a*a*b", std::string(20'000, 'a')));
}

}  // namespace
}  // namespace conf
