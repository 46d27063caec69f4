#include "dkim/key_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "dkim/evp_signer.h"
#include "dkim/opendkim_signer.h"
#include "dkim/sign_pool.h"
#include "tests/dkim/mails.h"
#include "tests/temporary_folder.h"

namespace dkim {
namespace {

class KeyStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    write("rsa", rsa_key()->pem().view());
    write("ed", ed_key()->pem().view());
  }
  void write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
    chmod((folder_ / name).c_str(), 0600);
  }
  conf::DkimKey& add(const std::string& domain, const std::string& selector,
                     const std::string& file = "rsa") {
    conf::DkimKey key;
    key.domain = domain;
    key.selector = selector;
    key.file = folder_ / file;
    key.line = static_cast<int>(settings_.keys.size()) + 1;
    settings_.keys.push_back(key);
    return settings_.keys.back();
  }
  std::shared_ptr<const KeyStore> load(const Signer& signer = EvpSigner()) {
    problems_.clear();
    return KeyStore::load(settings_, "p.toml", signer, &problems_);
  }
  std::string keys(const KeyStore& store, const std::string& domain) {
    std::string text;
    for (const auto& key : store.keys_for(domain)) text += key->selector + "@" + key->domain + " ";
    return text;
  }
  TemporaryFolder folder_;
  conf::DkimSettings settings_;
  std::vector<conf::Problem> problems_;
};

TEST_F(KeyStoreTest, ExactThenParentThenWildcardThenDefault) {
  add("example.com", "top");
  add("mail.example.com", "mail");
  add("*.example.net", "wild");
  add("closed.example", "closed").subdomains = false;
  const auto store = load();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(keys(*store, "example.com"), "top@example.com ");
  EXPECT_EQ(keys(*store, "mail.example.com"), "mail@mail.example.com ");
  EXPECT_EQ(keys(*store, "a.mail.example.com"), "mail@mail.example.com ") << "the nearest";
  EXPECT_EQ(keys(*store, "b.example.com"), "top@example.com ");
  EXPECT_EQ(keys(*store, "x.example.net"), "wild@x.example.net ");
  EXPECT_EQ(keys(*store, "x.y.example.net"), "wild@x.y.example.net ");
  EXPECT_EQ(keys(*store, "example.net"), "") << "a wildcard is for what is below";
  EXPECT_EQ(keys(*store, "a.closed.example"), "");
  EXPECT_EQ(keys(*store, "notexample.com"), "");
  settings_.default_domain = "example.com";
  EXPECT_EQ(keys(*load(), "elsewhere.example"), "top@example.com ");
}

TEST_F(KeyStoreTest, BothKindsAndTheFirstThatMaySign) {
  add("example.com", "new").wait_for_record = true;
  add("example.com", "old");
  add("example.com", "ed", "ed");
  const auto store = load();
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(keys(*store, "example.com"), "old@example.com ed@example.com ");
  store->entries()[0]->seen = true;
  EXPECT_EQ(keys(*store, "example.com"), "new@example.com ed@example.com ");
}

TEST_F(KeyStoreTest, EveryBadKeyIsNamed) {
  write("short", PrivateKey::generate(Algorithm::kRsaSha256, 768)->pem().view());
  write("weak", PrivateKey::generate(Algorithm::kRsaSha256, 1024)->pem().view());
  add("a.example", "s", "absent");
  add("b.example", "s", "short");
  EXPECT_EQ(load(), nullptr);
  ASSERT_EQ(problems_.size(), 2U);
  EXPECT_NE(problems_[0].text().find("p.toml:1:0: [[dkim_key]] file: cannot read"), std::string::npos)
      << problems_[0].text();
  EXPECT_NE(problems_[1].text().find("has 768 bits"), std::string::npos);
  settings_.keys.clear();
  add("c.example", "s", "weak");
  EXPECT_NE(load(), nullptr) << "a weak key is a warning";
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_NE(problems_[0].text().find("has only 1024 bits"), std::string::npos);
}

// An engine whose signatures are wrong.
class BrokenSigner final : public Signer {
 public:
  conf::Result<std::string> sign(const SigningKey& key, Mail* mail, conf::WallTime now) const override {
    auto field = EvpSigner().sign(key, mail, now);
    std::string text = field.value();
    char& c = text[text.size() - 20];
    c = c == 'A' ? 'B' : 'A';
    return text;
  }
};

TEST_F(KeyStoreTest, EveryKeyIsTriedOut) {
  add("example.com", "s");
  add("example.com", "e", "ed");
  EXPECT_NE(load(OpendkimSigner()), nullptr);
  EXPECT_EQ(load(BrokenSigner()), nullptr);
  ASSERT_EQ(problems_.size(), 2U);
  EXPECT_NE(problems_[0].text().find("signs, but the signature does not verify"), std::string::npos);
}

TEST_F(KeyStoreTest, AReloadThatChangesNoKeyIsNoNewEdition) {
  add("example.com", "one");
  SignPool pool([] {});
  pool.use(load(), settings_);
  const uint64_t first = pool.edition();
  pool.use(load(), settings_);
  EXPECT_EQ(pool.edition(), first);
  settings_.keys[0].options.headers = {"From"};
  pool.use(load(), settings_);
  EXPECT_EQ(pool.edition(), first + 1) << "it signs something else";
  write("rsa", PrivateKey::generate(Algorithm::kRsaSha256, 1024)->pem().view());
  pool.use(load(), settings_);
  EXPECT_EQ(pool.edition(), first + 2) << "another key in the same file";
  add("example.com", "two", "ed");
  pool.use(load(), settings_);
  EXPECT_EQ(pool.edition(), first + 3);
}

TEST_F(KeyStoreTest, WhatAWorkerDoesWithEachMail) {
  add("example.com", "s1");
  add("example.com", "s2", "ed");
  const auto store = load();
  const std::string mail = sample_mail();
  const SignOutcome both = sign_mail(mail, *store, EvpSigner(), kThen, true);
  EXPECT_EQ(both.kind, SignOutcome::Kind::kSigned) << both.detail;
  EXPECT_NE(both.fields.find("s=s1"), std::string::npos);
  EXPECT_NE(both.fields.find("s=s2"), std::string::npos);
  const SignOutcome broken = sign_mail(mail, *store, BrokenSigner(), kThen, true);
  EXPECT_EQ(broken.kind, SignOutcome::Kind::kFailed);
  EXPECT_TRUE(broken.alarm);
  EXPECT_NE(broken.detail.find("does not verify"), std::string::npos) << broken.detail;
  const std::pair<const char*, const char*> others[] = {
      {"From: a@example.net\r\n\r\n", "there is no key for example.net"},
      {"To: a@example.com\r\n\r\n", "the message has no From field"},
      {"From: a@example.com\r\nFrom: b@example.com\r\n\r\n", "the message has two From fields"},
      {"From: a@example.com\r\n\r\na\nb", "the body has a bare LF"}};
  for (const auto& [text, why] : others) {
    const SignOutcome outcome = sign_mail(text, *store, EvpSigner(), kThen, false);
    EXPECT_NE(outcome.kind, SignOutcome::Kind::kSigned);
    EXPECT_EQ(outcome.fields, "");
    EXPECT_EQ(outcome.detail, why);
  }
}

// RFC 6376 §2.8: white space is space and tab. libopendkim folds VT and FF too, and ends at a NUL.
TEST_F(KeyStoreTest, TheSelfCheckNeverBlamesTheMachineForWhatTheMessageHolds) {
  add("example.com", "s1");
  const auto store = load();
  const std::string_view subjects[] = {"a\vb\fc", std::string_view("a\0b", 3), "\v", " x\f"};
  for (const std::string_view subject : subjects) {
    const std::string mail =
        std::string("From: a@example.com\r\nSubject: ").append(subject) + "\r\n\r\nb\r\n";
    for (const bool by_opendkim : {false, true}) {
      const std::unique_ptr<Signer> signer =
          make_signer(by_opendkim ? conf::DkimEngine::kOpendkim : conf::DkimEngine::kEvp);
      const SignOutcome outcome = sign_mail(mail, *store, *signer, kThen, true);
      EXPECT_EQ(outcome.kind, SignOutcome::Kind::kSigned) << outcome.detail;
      EXPECT_FALSE(outcome.alarm);
      EXPECT_EQ(outcome.fields, sign_mail(mail, *store, EvpSigner(), kThen, false).fields) << by_opendkim;
    }
    EXPECT_TRUE(sign_mail(mail, *store, BrokenSigner(), kThen, true).alarm)
        << "a bad signature is still seen";
  }
}

TEST_F(KeyStoreTest, ThePoolSignsAllAndRefusesWhenFull) {
  add("example.com", "s1", "ed");
  settings_.queue = 50;
  settings_.workers = 2;
  settings_.self_check = 0.5;
  std::atomic<int> wakes{0};
  SignPool pool([&wakes] { ++wakes; });
  EXPECT_FALSE(pool.enabled());
  pool.use(load(), settings_);
  ASSERT_TRUE(pool.enabled());
  const conf::Bytes mail(sample_mail());
  int accepted = 0, refused = 0, good = 0;
  const auto done = [&good](const SignOutcome& outcome) {
    good += outcome.kind == SignOutcome::Kind::kSigned ? 1 : 0;
  };
  for (int i = 0; i < 5000; ++i) (pool.submit(mail, done) ? accepted : refused)++;
  EXPECT_GT(refused, 0) << "fifty wait at most";
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (good < accepted && std::chrono::steady_clock::now() < limit) {
    if (pool.drain_completions() == 0) std::this_thread::yield();
  }
  EXPECT_EQ(good, accepted);
  EXPECT_GT(wakes, 0);
  EXPECT_TRUE(pool.submit(mail, done)) << "what waits at the end is dropped";
}

}  // namespace
}  // namespace dkim
