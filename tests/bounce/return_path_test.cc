#include "bounce/return_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "bounce/return_path_mac.h"

namespace bounce {
namespace {

constexpr int64_t kDay = 86'400'000'000;
const conf::WallTime kNow = conf::from_unix_micros(20'000 * kDay + kDay / 2);

ReturnKeys keys(std::vector<ReturnKey> list) {
  conf::Result<ReturnKeys> made = ReturnKeys::make(std::move(list));
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

const ReturnKey kOld{1, "old secret of 16 octets or more"};
const ReturnKey kNew{2, "new secret of 16 octets or more"};

ReturnToken token() {
  ReturnToken made;
  made.message = 0x0123456789abcdef;
  made.whom = 0x89abcdef;
  made.expires = kNow + std::chrono::hours(7 * 24);
  return made;
}

TEST(Hmac, Rfc4231_4_2_And_4_3) {
  const auto hex = [](const std::array<uint8_t, 32>& octets) {
    std::string out;
    for (const uint8_t octet : octets) {
      out += "0123456789abcdef"[octet >> 4];
      out += "0123456789abcdef"[octet & 15];
    }
    return out;
  };
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(ReturnToken, ComesBackAsItWentOut) {
  const ReturnKeys signer = keys({kNew, kOld});
  ReturnToken got;
  EXPECT_EQ(signer.check(signer.sign(token()), kNow, &got), TokenState::kValid);
  EXPECT_EQ(got.message, token().message);
  EXPECT_EQ(got.whom, 0x89abcdef);
  EXPECT_EQ(got.grade, VerpGrade::kRecipient);
  EXPECT_GE(got.expires, token().expires);
}

TEST(ReturnToken, EveryGradeComesBack) {
  const ReturnKeys signer = keys({kNew});
  for (const VerpGrade grade : {VerpGrade::kMessage, VerpGrade::kDomain, VerpGrade::kRecipient}) {
    ReturnToken sent = token();
    sent.grade = grade;
    ReturnToken got;
    EXPECT_EQ(signer.check(signer.sign(sent), kNow, &got), TokenState::kValid);
    EXPECT_EQ(got.grade, grade) << to_text(grade);
  }
}

TEST(ReturnToken, AnyOtherCharacterAnywhereIsForged) {
  const ReturnKeys signer = keys({kNew, kOld});
  const std::string good = signer.sign(token());
  ASSERT_EQ(good.size(), ReturnKeys::kTokenLength);
  ReturnToken got;
  for (size_t at = 0; at < good.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string bad = good;
      bad[at] = static_cast<char>(c);
      const bool same = std::tolower(c) == good[at];
      EXPECT_EQ(signer.check(bad, kNow, &got), same ? TokenState::kValid : TokenState::kForged)
          << at << " " << c;
    }
  }
}

TEST(ReturnToken, EveryFlippedBitIsForged) {
  const std::string alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const ReturnKeys signer = keys({kNew, kOld});
  const std::string good = signer.sign(token());
  ReturnToken got;
  for (size_t bit = 0; bit < good.size() * 5; ++bit) {
    std::string bad = good;
    bad[bit / 5] = alphabet[alphabet.find(bad[bit / 5]) ^ (1U << bit % 5)];
    EXPECT_EQ(signer.check(bad, kNow, &got), TokenState::kForged) << bit;
  }
}

TEST(ReturnToken, FoldedLocalPartsStillMatch) {
  const ReturnKeys signer = keys({kNew});
  std::string address = signer.local_part("bounces", token()) + "@return.example";
  for (char& c : address) c = static_cast<char>(std::toupper(c));
  ReturnToken got;
  EXPECT_EQ(signer.check_address(address, "bounces", kNow, &got), TokenState::kValid);
  EXPECT_EQ(got.message, token().message);
}

TEST(ReturnToken, ExpiresAtTheEndOfItsDay) {
  const ReturnKeys signer = keys({kNew});
  const std::string text = signer.sign(token());
  ReturnToken got;
  EXPECT_EQ(signer.check(text, token().expires, &got), TokenState::kValid);
  EXPECT_EQ(signer.check(text, token().expires + std::chrono::hours(24), &got), TokenState::kExpired);
  EXPECT_EQ(signer.check(text, kNow + std::chrono::hours(24 * 365), &got), TokenState::kExpired);
}

TEST(ReturnToken, KeysRotateWithAnOverlap) {
  const ReturnKeys before = keys({kOld});
  const ReturnKeys during = keys({kNew, kOld});
  const ReturnKeys after = keys({kNew});
  ReturnToken got;
  EXPECT_EQ(during.check(before.sign(token()), kNow, &got), TokenState::kValid);
  EXPECT_EQ(after.check(before.sign(token()), kNow, &got), TokenState::kForged);
  EXPECT_EQ(after.check(during.sign(token()), kNow, &got), TokenState::kValid);
}

TEST(ReturnToken, AnotherSecretUnderTheSameNumberIsForged) {
  const ReturnKeys signer = keys({kNew});
  const ReturnKeys other = keys({{2, "another secret, also of 16 octets"}});
  ReturnToken got;
  EXPECT_EQ(other.check(signer.sign(token()), kNow, &got), TokenState::kForged);
}

TEST(ReturnToken, AnotherRecipientHasAnotherTokenAndNoneFitsBoth) {
  const ReturnKeys signer = keys({kNew});
  std::set<std::string> seen;
  for (uint16_t i = 0; i < 1000; ++i) {
    ReturnToken each = token();
    each.whom = i;
    const std::string text = signer.sign(each);
    EXPECT_TRUE(seen.insert(text).second);
    ReturnToken got;
    ASSERT_EQ(signer.check(text, kNow, &got), TokenState::kValid);
    EXPECT_EQ(got.whom, i);
  }
  // The body of one with the signature of the other.
  ReturnToken first = token();
  ReturnToken second = token();
  second.whom = 514;
  const std::string mixed = signer.sign(first).substr(0, 21) + signer.sign(second).substr(21);
  ReturnToken got;
  EXPECT_EQ(signer.check(mixed, kNow, &got), TokenState::kForged);
}

TEST(ReturnToken, TruncatedOrLongerIsForged) {
  const ReturnKeys signer = keys({kNew});
  const std::string good = signer.sign(token());
  ReturnToken got;
  for (size_t length = 1; length < good.size(); ++length) {
    EXPECT_EQ(signer.check(good.substr(0, length), kNow, &got), TokenState::kForged) << length;
  }
  EXPECT_EQ(signer.check(good + "a", kNow, &got), TokenState::kForged);
  EXPECT_EQ(signer.check("", kNow, &got), TokenState::kNone);
}

TEST(ReturnToken, InAMessageIdItIsOfAMessage) {
  const ReturnKeys signer = keys({kNew});
  ReturnToken sent = token();
  sent.grade = VerpGrade::kMessage;
  const auto state_of = [&](const std::string& id, ReturnToken* got) {
    return signer.check_message_id(id, kNow, got);
  };
  ReturnToken got;
  EXPECT_EQ(state_of(signer.sign(sent) + "@return.example", &got), TokenState::kValid);
  EXPECT_EQ(got.message, sent.message);
  for (const VerpGrade grade : {VerpGrade::kOff, VerpGrade::kDomain, VerpGrade::kRecipient}) {
    sent.grade = grade;
    ReturnToken none;
    EXPECT_EQ(state_of(signer.sign(sent) + "@return.example", &none), TokenState::kForged) << to_text(grade);
    EXPECT_EQ(none.message, 0U) << "nothing is known from it";
  }
  for (const char* id : {"", "@", "@return.example", "1700000000.4711@return.example",
                         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@return.example"})
    EXPECT_EQ(state_of(id, &got), TokenState::kNone) << id;
}

TEST(ReturnPath, FitsALocalPart) {
  const ReturnKeys signer = keys({kNew});
  EXPECT_EQ(signer.local_part("bounces", token()).size(), 45u);
  EXPECT_LE(signer.local_part(std::string(ReturnKeys::kLongestPrefix, 'p'), token()).size(), 64u);
}

TEST(ReturnPath, OtherAddressesHaveNoToken) {
  const ReturnKeys signer = keys({kNew});
  ReturnToken got;
  for (const char* address : {"", "@", "bounces", "bounces@return.example", "bounce+x@return.example",
                              "news@sender.example", "bouncesx+abc@return.example"}) {
    EXPECT_EQ(signer.check_address(address, "bounces", kNow, &got), TokenState::kNone) << address;
  }
  EXPECT_EQ(signer.check_address("bounces+nonsense@return.example", "bounces", kNow, &got),
            TokenState::kForged);
  EXPECT_EQ(signer.check_address("bounces+@return.example", "bounces", kNow, &got), TokenState::kNone);
}

TEST(ReturnKeys, AFileIsReadAndItsErrorsNameTheLine) {
  const std::string secret(32, 'a');
  EXPECT_TRUE(ReturnKeys::parse("# keys\n2 " + secret + "\n1 " + secret + " # old\n", "keys").ok());
  const auto error = [&](const std::string& text) {
    conf::Result<ReturnKeys> made = ReturnKeys::parse(text, "keys");
    return made.ok() ? std::string() : made.error().detail;
  };
  EXPECT_NE(error("\n\nx " + secret).find("keys:3:"), std::string::npos);
  EXPECT_NE(error("16 " + secret).find("keys:1:"), std::string::npos);
  EXPECT_NE(error("1 abc").find("keys:1:"), std::string::npos);
  EXPECT_NE(error("1 " + secret + "zz").find("keys:1:"), std::string::npos);
  EXPECT_NE(error("1 " + secret + "\n1 " + secret).find("twice"), std::string::npos);
  EXPECT_NE(error("").find("no key"), std::string::npos);
}

conf::Mailbox mailbox(std::string_view text) {
  conf::Result<conf::Mailbox> read = conf::Mailbox::parse(text);
  EXPECT_TRUE(read.ok()) << text;
  return std::move(*read);
}

ReturnToken token_for(const ReturnKeys& signer, VerpGrade grade, std::string_view address) {
  ReturnToken made = token();
  made.grade = grade;
  made.whom = signer.check_of(made, mailbox(address));
  return made;
}

TEST(ReturnToken, OnlyTheAddressThatItWasMadeForFits) {
  const ReturnKeys signer = keys({kNew, kOld});
  ReturnToken got;
  ASSERT_EQ(
      signer.check(signer.sign(token_for(signer, VerpGrade::kRecipient, "Ann.Lee@example.com")), kNow, &got),
      TokenState::kValid);
  EXPECT_TRUE(signer.is_for(got, mailbox("ann.lee@EXAMPLE.com"))) << "receivers fold the local part";
  EXPECT_FALSE(signer.is_for(got, mailbox("ann.lea@example.com")));
  EXPECT_FALSE(signer.is_for(got, mailbox("ann.lee@example.org")));
}

// With 16 bits one in 65,536 addresses would fit by chance, and without the message it would fit all tokens
// of one recipient.
TEST(ReturnToken, SaysOfItsRecipientIn32BitsThatDependOnTheMessage) {
  const ReturnKeys signer = keys({kNew});
  ReturnToken made = token();
  uint32_t set = 0;
  uint32_t clear = 0;
  for (int i = 0; i < 64; ++i) {
    const uint32_t whom = signer.check_of(made, mailbox("u" + std::to_string(i) + "@example.com"));
    set |= whom;
    clear |= ~whom;
  }
  EXPECT_EQ(set, 0xffffffffU);
  EXPECT_EQ(clear, 0xffffffffU);
  const uint32_t whom = signer.check_of(made, mailbox("ann@example.com"));
  ++made.message;
  EXPECT_NE(signer.check_of(made, mailbox("ann@example.com")), whom);
}

TEST(ReturnToken, OfADomainFitsEveryAddressThereAndNoneElsewhere) {
  const ReturnKeys signer = keys({kNew});
  ReturnToken got;
  ASSERT_EQ(signer.check(signer.sign(token_for(signer, VerpGrade::kDomain, "ann@example.com")), kNow, &got),
            TokenState::kValid);
  EXPECT_TRUE(signer.is_for(got, mailbox("bob@example.com")));
  EXPECT_FALSE(signer.is_for(got, mailbox("ann@example.org")));
}

TEST(ReturnToken, OfAMessageFitsNobody) {
  const ReturnKeys signer = keys({kNew});
  ReturnToken got;
  ASSERT_EQ(signer.check(signer.sign(token_for(signer, VerpGrade::kMessage, "ann@example.com")), kNow, &got),
            TokenState::kValid);
  EXPECT_FALSE(signer.is_for(got, mailbox("ann@example.com")));
}

TEST(ReturnToken, StillFitsItsAddressWhenTheKeysHaveRotated) {
  const std::string old =
      keys({kOld}).sign(token_for(keys({kOld}), VerpGrade::kRecipient, "ann@example.com"));
  const ReturnKeys rotated = keys({kNew, kOld});
  ReturnToken got;
  ASSERT_EQ(rotated.check(old, kNow, &got), TokenState::kValid);
  EXPECT_TRUE(rotated.is_for(got, mailbox("ann@example.com")));
}

TEST(ReturnField, BringsTheAddressBackThroughFolding) {
  const ReturnKeys signer = keys({kNew});
  const std::string local(64, 'l');
  for (const std::string& address :
       {std::string("a@b.c"), local + "@" + std::string(60, 'd') + ".example.com"}) {
    const std::string value = signer.field_value(token(), mailbox(address));
    EXPECT_EQ(value.find("b.c"), std::string::npos) << "the address is not to be read by others";
    ReturnToken got;
    conf::Mailbox recipient;
    EXPECT_EQ(signer.check_field(value, kNow, &got, &recipient), TokenState::kValid);
    EXPECT_EQ(recipient.text(), address);
    size_t line = value.find("\r\n");
    for (size_t from = 0; from < value.size(); from = line + 2) {
      line = std::min(value.find("\r\n", from), value.size());
      EXPECT_LE(line - from, 78U);
    }
  }
}

TEST(ReturnField, AnyOtherCharacterAnywhereGivesNoAddress) {
  const ReturnKeys signer = keys({kNew});
  std::string good = signer.field_value(token(), mailbox("ann@example.com"));
  good.erase(
      std::remove_if(good.begin(), good.end(), [](char c) { return c == '\r' || c == '\n' || c == ' '; }),
      good.end());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'a' ? 'b' : 'a';
    ReturnToken got;
    conf::Mailbox recipient;
    signer.check_field(bad, kNow, &got, &recipient);
    EXPECT_TRUE(recipient.is_null()) << i;
  }
  ReturnToken got;
  conf::Mailbox recipient;
  EXPECT_EQ(signer.check_field(good.substr(0, good.size() - 9), kNow, &got, &recipient), TokenState::kValid);
  EXPECT_TRUE(recipient.is_null());
}

}  // namespace
}  // namespace bounce
