// Both engines against libopendkim's verifier, against each other, and against the vectors of the RFCs.
#include "dkim/signer.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>

#include "conf/vocab/text.h"
#include "dkim/evp_signer.h"
#include "dkim/opendkim_signer.h"
#include "dkim/signature.h"
#include "tests/dkim/mails.h"

namespace dkim {
namespace {

using conf::Canonicalization;
using namespace std::chrono_literals;

std::string sign(const Signer& signer, const SigningKey& key, const std::string& mail) {
  auto parsed = Mail::parse(mail);
  EXPECT_TRUE(parsed.ok()) << parsed.error().detail;
  const auto field = signer.sign(key, &parsed.value(), kThen);
  EXPECT_TRUE(field.ok()) << field.error().detail;
  return field.ok() ? field.value() : "";
}

OpendkimVerifier verifier() {
  return OpendkimVerifier(records({{"s1._domainkey.example.com", record_of(*rsa_key())},
                                   {"s2._domainkey.example.com", record_of(*ed_key())}}));
}

std::string verdicts(const std::string& mail) {
  const auto result = verifier().verify(mail);
  if (!result.ok()) return "! " + result.error().detail;
  std::string text;
  for (const Verdict& verdict : result.value())
    text += verdict.selector + (verdict.good ? " good;" : " " + verdict.why + ";");
  return text;
}

std::string unfolded(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return text;
}

std::vector<std::string> shapes() {
  const std::string long_line(5000, 'y');
  std::string many = "From: a@example.com\r\n";
  many += "X-Big: " + std::string(100'000, 'b') + "\r\n";
  return {
      sample_mail(),
      "From: a@example.com\r\n\r\n",
      "From: a@example.com\r\n",
      "from : a@example.com\r\nTO:x@y.example\r\nto: z@y.example\r\n\r\n\r\n\r\n",
      "From: a@example.com\r\nSubject: \xc3\xa4\xff\r\n\r\n\xe2\x82\xac\r\n",
      "From: a@example.com\r\nSubject:\r\n\r\n" + long_line + "\r\n",
      many + "\r\nbody",
      "From: a@example.com\r\nDKIM-Signature: v=1; old\r\nDate: x\r\n\tfolded \r\n  twice\r\n\r\n \r\n.\r\n"};
}

TEST(Signer, EveryShapeVerifiesWithEveryCanonicalization) {
  const EvpSigner evp;
  const OpendkimSigner opendkim(kThen);
  for (const std::string& mail : shapes()) {
    for (const auto header : {Canonicalization::kSimple, Canonicalization::kRelaxed}) {
      for (const auto body : {Canonicalization::kSimple, Canonicalization::kRelaxed}) {
        SigningKey rsa = signing_key(rsa_key()), ed = signing_key(ed_key(), "s2");
        rsa.options.header = ed.options.header = header;
        rsa.options.body = ed.options.body = body;
        const std::string field = sign(evp, rsa, mail);
        EXPECT_NE(verdicts(field + mail).find("s1 good;"), std::string::npos) << field + mail.substr(0, 300);
        EXPECT_EQ(unfolded(sign(opendkim, rsa, mail)), unfolded(field)) << "the engines agree";
        EXPECT_NE(verdicts(sign(evp, ed, mail) + field + mail).find("s2 good;s1 good;"), std::string::npos);
      }
    }
  }
}

TEST(Signer, ChangesAreNoticed) {
  const std::string mail = sample_mail();
  const std::string field = sign(EvpSigner(), signing_key(rsa_key()), mail);
  EXPECT_EQ(verdicts(field + mail + "x"), "s1 the body was changed;");
  EXPECT_EQ(verdicts(field + "Subject: added\r\n" + mail),
            "s1 a signed header field was changed, or the key is another;")
      << "over-signed";
  EXPECT_EQ(verdicts(field + "X-Other: added\r\n" + mail), "s1 good;");
  std::string forged = mail;
  forged.replace(forged.find("author"), 6, "hacker");
  EXPECT_EQ(verdicts(field + forged), "s1 a signed header field was changed, or the key is another;");
  EXPECT_EQ(verdicts(mail), "");
}

TEST(Signer, TimesAndIdentity) {
  SigningKey key = signing_key(rsa_key());
  key.options.expire = 3 * 24h;
  key.options.identity = "@mail.example.com";
  const std::string field = sign(EvpSigner(), key, sample_mail());
  EXPECT_NE(field.find("t=1700000000; x=1700259200; i=@mail.example.com;"), std::string::npos) << field;
  EXPECT_EQ(unfolded(sign(OpendkimSigner(kThen), key, sample_mail())), unfolded(field));
  EXPECT_EQ(verdicts(field + sample_mail()), "s1 signature expired;");
  const std::string mail = sample_mail();
  auto parsed = Mail::parse(mail);
  const auto fresh = EvpSigner().sign(key, &parsed.value(), conf::SystemClock().wall());
  EXPECT_EQ(verdicts(fresh.value() + mail), "s1 good;");
}

TEST(Signer, LinesAreFolded) {
  const std::string field = sign(EvpSigner(), signing_key(rsa_key()), sample_mail());
  size_t begin = 0;
  for (size_t end = field.find("\r\n"); end != std::string::npos; end = field.find("\r\n", begin)) {
    const std::string line = field.substr(begin, end - begin);
    if (line.find("h=") == std::string::npos) {
      EXPECT_LE(line.size(), 78U) << line;
    }
    begin = end + 2;
  }
  EXPECT_EQ(begin, field.size());
}

TEST(Signer, TooManyFieldsToName) {
  std::string mail = "From: a@example.com\r\n";
  for (int i = 0; i < 300; ++i) mail += "To: someone@example.net\r\n";
  mail += "\r\n";
  auto parsed = Mail::parse(mail);
  for (const auto engine : {conf::DkimEngine::kEvp, conf::DkimEngine::kOpendkim}) {
    const auto field = make_signer(engine)->sign(signing_key(rsa_key()), &parsed.value(), kThen);
    ASSERT_FALSE(field.ok());
    EXPECT_EQ(field.error().code, conf::ErrorCode::kLimit);
  }
}

TEST(Signer, ABodyOfFiftyMegabytes) {
  std::string mail = "From: a@example.com\r\n\r\n";
  const std::string line = std::string(70, 'z') + "  \r\n";
  while (mail.size() < 50'000'000) mail += line;
  EXPECT_EQ(verdicts(sign(EvpSigner(), signing_key(rsa_key()), mail) + mail), "s1 good;");
}

TEST(Mail, BareNewlinesAreRefused) {
  EXPECT_EQ(Mail::parse("From: a@b.example\r\n\r\na\nb\r\n").error().detail, "the body has a bare LF");
  EXPECT_EQ(Mail::parse("From: a@b.example\r\n\r\n\nb\r\n").error().detail, "the body has a bare LF");
  EXPECT_EQ(Mail::parse("From: a@b.example\r\n\r\na\rb\r\n").error().detail, "the body has a bare CR");
  EXPECT_EQ(Mail::parse("From: a@b.example\r\n\r\na\r").error().detail, "the body has a bare CR");
}

// The messages of RFC 8463 Appendix A.3 and their records, as the corpus has them.
class Vectors : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(PENSTOCK_SOURCE_DIR) / "../shared/corpus/dkim";
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no corpus beside the tree";
    const std::string text = read_file(folder_ / "mail-auth/001.txt");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && !line.empty();) {
      const size_t space = line.find(' ');
      records_[line.substr(0, space)] = line.substr(space + 1);
    }
    mail_ = with_crlf(text.substr(text.find("\n\n") + 2));
  }
  std::filesystem::path folder_;
  std::map<std::string, std::string> records_;
  std::string mail_;
};

TEST_F(Vectors, Rfc8463AppendixAVerifies) {
  const OpendkimVerifier verifier{records(records_)};
  const auto verdicts = verifier.verify(mail_);
  ASSERT_TRUE(verdicts.ok()) << verdicts.error().detail;
  ASSERT_EQ(verdicts.value().size(), 2U);
  for (const Verdict& verdict : verdicts.value())
    EXPECT_TRUE(verdict.good) << verdict.algorithm << ": " << verdict.why;
}

TEST_F(Vectors, Rfc6376ExampleMessageVerifiesWithSimple) {
  const OpendkimVerifier verifier{records(records_)};
  const std::string mail = with_crlf(read_file(folder_ / "rfc6376.signed.msg"));
  const auto verdicts = verifier.verify(mail);
  ASSERT_TRUE(verdicts.ok()) << verdicts.error().detail;
  ASSERT_EQ(verdicts.value().size(), 2U);
  for (const Verdict& verdict : verdicts.value())
    EXPECT_TRUE(verdict.good) << verdict.algorithm << ": " << verdict.why;
  const auto parsed = split_mail(mail);
  const Sha256Value hash = body_hash(parsed.value().body, Canonicalization::kSimple);
  EXPECT_EQ(base64(hash.data(), hash.size()), "4bLNXImK9drULnmePzZNEBleUanJCX5PIsDIFoH4KTQ=");
}

// The same bytes to sign, hence (Ed25519 has no randomness) the same signature as in the RFC.
TEST_F(Vectors, Rfc8463AppendixASignatureIsMadeAgain) {
  const auto parsed = split_mail(mail_);
  ASSERT_TRUE(parsed.ok());
  const std::string field(parsed.value().fields.at(0).whole);
  const size_t tag = field.find("b=", field.find("bh=") + 3);
  const std::string wanted = unfolded(field.substr(tag + 2));
  std::string seed;
  ASSERT_TRUE(conf::decode_base64(conf::trimmed(read_file(folder_ / "rfc8032_7_1.key")), &seed));
  // RFC 8410 §7: the PKCS#8 of an Ed25519 key is this prefix and the seed.
  const std::string prefix =
      "\x30\x2e\x02\x01" + std::string(1, '\0') + "\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
  const std::string der = prefix + seed;
  const auto key = PrivateKey::parse(
      "-----BEGIN PRIVATE KEY-----\n" + base64(der.data(), der.size()) + "\n-----END PRIVATE KEY-----\n",
      "the RFC's key");
  ASSERT_TRUE(key.ok()) << key.error().detail;
  EXPECT_EQ(key.value()->public_text(), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const std::vector<std::string> names = {"from",       "to",   "subject", "date",
                                          "message-id", "from", "subject", "date"};
  std::string without = field.substr(0, tag + 2);
  EXPECT_EQ(
      key.value()->sign(signed_data(parsed.value(), names, Canonicalization::kRelaxed, without)).value(),
      wanted);
  const Sha256Value hash = body_hash(parsed.value().body, Canonicalization::kRelaxed);
  EXPECT_EQ(base64(hash.data(), hash.size()), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

// RFC 6376 Appendix A.2: the message, and the hash of its body with simple and relaxed (both end in one
// CRLF).
TEST(Rfc6376, AppendixABodyHash) {
  const std::string body = "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
  const Sha256Value hash = body_hash(body, Canonicalization::kSimple);
  EXPECT_EQ(base64(hash.data(), hash.size()), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

}  // namespace
}  // namespace dkim
