#include "dkim/record.h"

#include <gtest/gtest.h>

#include "tests/dkim/mails.h"

namespace dkim {
namespace {

std::string difference(const std::string& text, const PrivateKey& key) {
  const conf::Status same = compare_record(text, key);
  return same.ok() ? "" : same.error().detail;
}

TEST(Record, OurOwnIsRight) {
  EXPECT_EQ(difference(record_text(*rsa_key()), *rsa_key()), "");
  EXPECT_EQ(difference(record_text(*ed_key()), *ed_key()), "");
}

TEST(Record, OtherSpellingsOfTheSame) {
  const std::string p = rsa_key()->public_text();
  EXPECT_EQ(difference("p=" + p, *rsa_key()), "") << "k=rsa and v=DKIM1 are the defaults";
  EXPECT_EQ(
      difference(" v = DKIM1 ;k=rsa; t=y; n=a note ;p= " + p.substr(0, 50) + " \t" + p.substr(50) + " ;",
                 *rsa_key()),
      "");
  EXPECT_EQ(difference("v=DKIM1; h=sha1:sha256; s=email; p=" + p, *rsa_key()), "");
}

TEST(Record, WhatDiffers) {
  const std::string p = rsa_key()->public_text();
  EXPECT_EQ(difference("v=DKIM1; p=AAAA", *rsa_key()), "the record has another public key");
  EXPECT_EQ(difference("v=DKIM1; p=", *rsa_key()), "the record is revoked (its p= is empty)");
  EXPECT_EQ(difference("v=DKIM1; k=rsa", *rsa_key()), "the record has no key (p=)");
  EXPECT_EQ(difference("v=DKIM2; p=" + p, *rsa_key()), "the record has v=DKIM2, not v=DKIM1");
  EXPECT_EQ(difference("v=DKIM1; p=" + p, *ed_key()),
            "the record has a key of the kind rsa, ours is ed25519");
  EXPECT_EQ(difference("v=DKIM1; h=sha1; p=" + p, *rsa_key()), "the record does not allow sha256 (h=)");
  EXPECT_EQ(difference("v=DKIM1; s=other; p=" + p, *rsa_key()), "the record is not for mail (s=)");
  EXPECT_EQ(difference("v=spf1 -all", *rsa_key()), "the record has v=spf1 -all, not v=DKIM1");
  EXPECT_EQ(difference("hello", *rsa_key()), "the record is not a list of tags");
  EXPECT_EQ(difference("v=DKIM1; p=" + p + "; p=" + p, *rsa_key()), "the record is not a list of tags");
}

TEST(Record, ZoneLineIsSplit) {
  const std::string line = zone_line("s1", "example.com", *rsa_key());
  EXPECT_EQ(line.find("s1._domainkey.example.com. IN TXT ( \"v=DKIM1; k=rsa; p="), 0U);
  std::string joined;
  for (size_t at = line.find('"'); at != std::string::npos; at = line.find('"', at + 1)) {
    const size_t end = line.find('"', at + 1);
    EXPECT_LE(end - at - 1, 255U);
    joined += line.substr(at + 1, end - at - 1);
    at = end;
  }
  EXPECT_EQ(joined, record_text(*rsa_key()));
}

TEST(Record, Selectors) {
  for (const char* good : {"s1", "2026.mail", "a-b", "_x", "A"}) EXPECT_TRUE(valid_selector(good)) << good;
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a_\xc3\xa4"})
    EXPECT_FALSE(valid_selector(bad)) << bad;
}

}  // namespace
}  // namespace dkim
