// When a message may be sent, as signing sees it: with workers that answer when the test says so.
#include "relay/walk/signing.h"

#include <gtest/gtest.h>

#include <deque>

#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using Kind = dkim::SignOutcome::Kind;

class SlowQueue final : public dkim::SignQueue {
 public:
  bool enabled() const override { return on; }
  uint64_t edition() const override { return keys; }
  bool submit(conf::Bytes mail, Done done) override {
    if (waiting.size() >= room) return false;
    EXPECT_TRUE(mail.has_value());
    waiting.push_back(std::move(done));
    return true;
  }
  size_t drain_completions() override {
    const size_t count = std::min(answers.size(), waiting.size());
    for (size_t i = 0; i < count; ++i) {
      const Done done = std::move(waiting.front());
      waiting.pop_front();
      dkim::SignOutcome outcome = answers.front();
      answers.pop_front();
      done(std::move(outcome));
    }
    return count;
  }
  void answer(Kind kind, std::string text = "", bool alarm = false) {
    dkim::SignOutcome outcome;
    outcome.kind = kind;
    outcome.alarm = alarm;
    (kind == Kind::kSigned ? outcome.fields : outcome.detail) = std::move(text);
    answers.push_back(std::move(outcome));
  }
  bool on = true;
  uint64_t keys = 1;
  size_t room = 100;
  std::deque<Done> waiting;
  std::deque<dkim::SignOutcome> answers;
};

class StillClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s); }
  conf::Instant time{1h};
};

class SigningTest : public testing::Test {
 protected:
  SigningTest() : cache_(&spool_, 1'000'000) { reset(conf::WithoutSignature::kSend); }
  void reset(conf::WithoutSignature policy) {
    auto config = std::make_shared<conf::Config>();
    config->dkim.without_signature = policy;
    signing_ = std::make_unique<Signing>(config, &queue_, &cache_, &clock_,
                                         [this](const queue::Message&, const dkim::SignOutcome& outcome) {
                                           reports_.push_back(outcome.detail);
                                           alarms_ += outcome.alarm ? 1 : 0;
                                         });
  }
  queue::Message* message(conf::MessageId id) {
    spool::MessageRecord record;
    record.id = id;
    return cache_.insert(std::move(record), conf::Bytes("From: a@example.com\r\n\r\nx\r\n"), 1);
  }
  // What ready() says: "yes", "later", and then what came.
  std::string ready(queue::Message* message) {
    return signing_->ready(message,
                           [this](const conf::Status& status) {
                             verdicts_.push_back(status.ok() ? "send" : "wait: " + status.error().detail);
                           })
               ? "yes"
               : "later";
  }

  StillClock clock_;
  SlowQueue queue_;
  spool::MemorySpool spool_;
  queue::MessageCache cache_;
  std::unique_ptr<Signing> signing_;
  std::vector<std::string> reports_, verdicts_;
  int alarms_ = 0;
};

TEST_F(SigningTest, WithoutKeysNothingIsAsked) {
  queue_.on = false;
  queue::Message* mail = message(1);
  signing_->begin(1, mail->body);
  signing_->stored(mail);
  EXPECT_EQ(ready(mail), "yes");
  EXPECT_TRUE(queue_.waiting.empty());
}

TEST_F(SigningTest, SignedWhileItIsWrittenToDisk) {
  signing_->begin(1, conf::Bytes("From: a@example.com\r\n\r\nx\r\n"));
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  queue::Message* mail = message(1);
  signing_->stored(mail);
  EXPECT_EQ(ready(mail), "yes");
  EXPECT_EQ(mail->signature, "DKIM-Signature: 1\r\n");
  EXPECT_EQ(mail->pins, 1U) << "its own pin is gone";
}

TEST_F(SigningTest, TheConnectionWaitsForTheSignature) {
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  EXPECT_EQ(ready(mail), "later") << "another domain of the same message";
  EXPECT_EQ(queue_.waiting.size(), 1U) << "signed once";
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  EXPECT_EQ(verdicts_, (std::vector<std::string>{"send", "send"}));
  EXPECT_EQ(ready(mail), "yes");
}

TEST_F(SigningTest, ARetrySendsTheSignatureOfTheAttemptBefore) {
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  signing_->keep(*mail);
  cache_.unpin(mail);  // it leaves memory
  clock_.time += 23h;
  mail = message(1);
  EXPECT_EQ(ready(mail), "yes");
  EXPECT_EQ(mail->signature, "DKIM-Signature: 1\r\n");
  EXPECT_TRUE(queue_.waiting.empty());
  signing_->keep(*mail);
  cache_.unpin(mail);
  clock_.time += 2h;
  mail = message(1);
  EXPECT_EQ(ready(mail), "later") << "it is a day old: a new one";
  queue_.answer(Kind::kSigned, "DKIM-Signature: 2\r\n");
  signing_->step();
}

TEST_F(SigningTest, AReloadKeepsSignaturesAndOtherKeysSignAnew) {
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  signing_->keep(*mail);
  cache_.unpin(mail);
  signing_->reload(std::make_shared<conf::Config>());
  mail = message(1);
  EXPECT_EQ(ready(mail), "yes") << "the keys are the same";
  EXPECT_EQ(mail->signature, "DKIM-Signature: 1\r\n");
  signing_->keep(*mail);
  cache_.unpin(mail);
  queue_.keys = 2;
  signing_->reload(std::make_shared<conf::Config>());
  mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: 2\r\n");
  signing_->step();
  signing_->keep(*mail);
  cache_.unpin(mail);
  mail = message(1);
  EXPECT_EQ(ready(mail), "yes") << "that of the new keys took the place of the other";
  EXPECT_EQ(mail->signature, "DKIM-Signature: 2\r\n");
}

TEST_F(SigningTest, TheOperatorSaysHowOldASignatureMayBe) {
  auto config = std::make_shared<conf::Config>();
  config->dkim.signature_age = 2h;
  signing_->reload(config);
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  signing_->keep(*mail);
  cache_.unpin(mail);
  clock_.time += 119min;
  mail = message(1);
  EXPECT_EQ(ready(mail), "yes");
  cache_.unpin(mail);
  clock_.time += 1min;
  mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: 2\r\n");
  signing_->step();
}

TEST_F(SigningTest, ASignatureAgesFromItsMakingAndNotFromItsLastUse) {
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  clock_.time += 25h;  // a long attempt
  signing_->keep(*mail);
  cache_.unpin(mail);
  mail = message(1);
  EXPECT_EQ(ready(mail), "later") << "it was too old when it was kept";
  queue_.answer(Kind::kSigned, "DKIM-Signature: 2\r\n");
  signing_->step();
}

TEST_F(SigningTest, WhatIsUnderWayAtAReloadIsSignedAnew) {
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: of an old key\r\n");
  signing_->step();
  queue_.keys = 2;
  signing_->reload(std::make_shared<conf::Config>());
  signing_->keep(*mail);
  cache_.unpin(mail);
  mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kSigned, "DKIM-Signature: of a new key\r\n");
  signing_->step();
}

TEST_F(SigningTest, AFullQueueHoldsMailBack) {
  queue_.room = 1;
  queue::Message *first = message(1), *second = message(2), *third = message(3);
  EXPECT_EQ(ready(first), "later");
  EXPECT_EQ(ready(second), "later");
  signing_->begin(3, third->body);
  EXPECT_EQ(signing_->under_way(), 2U) << "nothing ahead of time when the workers are behind";
  for (int i = 0; i < 2; ++i) {
    queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
    signing_->step();
  }
  EXPECT_EQ(verdicts_.size(), 2U);
  EXPECT_EQ(signing_->under_way(), 0U);
  EXPECT_FALSE(second->signature.empty());
}

TEST_F(SigningTest, ACopyThatIsSentInPlaceOfTheMessageGetsASignatureOfItsOwn) {
  queue_.room = 1;
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  std::vector<std::string> copies;
  for (int i = 0; i < 2; ++i) {
    signing_->sign_copy(*mail, conf::Bytes("From: a@example.com\r\n\r\ncopy\r\n"),
                        [&copies](conf::Result<std::string> signature) {
                          copies.push_back(signature.ok() ? *signature : "! " + signature.error().detail);
                        });
  }
  EXPECT_EQ(queue_.waiting.size(), 1U) << "the others wait for room";
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  EXPECT_TRUE(copies.empty());
  queue_.answer(Kind::kSigned, "DKIM-Signature: 2\r\n");
  signing_->step();
  queue_.answer(Kind::kFailed, "bad memory", true);
  signing_->step();
  EXPECT_EQ(copies, (std::vector<std::string>{"DKIM-Signature: 2\r\n", "! bad memory"}));
  EXPECT_EQ(mail->signature, "DKIM-Signature: 1\r\n") << "that of the message is its own";
}

TEST_F(SigningTest, WithoutAKeyItIsTheOperatorsChoice) {
  queue::Message* sent = message(1);
  EXPECT_EQ(ready(sent), "later");
  queue_.answer(Kind::kNoKey, "there is no key for example.com");
  signing_->step();
  EXPECT_EQ(verdicts_.back(), "send");
  EXPECT_EQ(sent->signature, "");
  reset(conf::WithoutSignature::kDefer);
  queue::Message* kept = message(2);
  EXPECT_EQ(ready(kept), "later");
  queue_.answer(Kind::kUnsignable, "the message has two From fields");
  signing_->step();
  EXPECT_EQ(verdicts_.back(), "wait: the message has two From fields");
  EXPECT_EQ(reports_,
            (std::vector<std::string>{"there is no key for example.com", "the message has two From fields"}));
  EXPECT_EQ(alarms_, 0);
}

TEST_F(SigningTest, AFailedSignatureIsNeverSentAndRaisesTheAlarm) {
  queue::Message* mail = message(1);
  EXPECT_EQ(ready(mail), "later");
  queue_.answer(Kind::kFailed, "the signature of s1 does not verify", true);
  signing_->step();
  EXPECT_EQ(verdicts_.back(), "wait: the signature of s1 does not verify");
  EXPECT_EQ(alarms_, 1);
  EXPECT_EQ(ready(mail), "later") << "the next attempt signs again";
}

TEST_F(SigningTest, WhatNeverReachedTheDiskIsForgotten) {
  signing_->begin(1, conf::Bytes("x"));
  signing_->forget(1);
  queue_.answer(Kind::kSigned, "DKIM-Signature: 1\r\n");
  signing_->step();
  EXPECT_EQ(signing_->under_way(), 0U);
  queue_.room = 0;
  queue::Message* mail = message(2);
  EXPECT_EQ(ready(mail), "later");
  signing_->forget(2);  // while it waits for room
  queue_.room = 1;
  signing_->step();
  EXPECT_TRUE(queue_.waiting.empty());
  cache_.unpin(mail);
}

}  // namespace
}  // namespace relay
