#include "relay/host/converter_thread.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>

namespace relay {
namespace {

class ConverterThreadTest : public testing::Test {
 protected:
  void wait_for_wake() {
    std::unique_lock lock(mutex_);
    woken_.wait(lock, [this] { return wakes_ > 0; });
    wakes_ = 0;
  }
  void submit(const std::string& mail) {
    converter_.submit(conf::Bytes(mail), SignedParts::kKeep,
                      [this](std::optional<std::string> text) { answers_.push_back(std::move(text)); });
  }

  std::mutex mutex_;
  std::condition_variable woken_;
  size_t wakes_ = 0;
  std::vector<std::optional<std::string>> answers_;
  ConverterThread converter_{[this] {
    const std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_one();
  }};
};

TEST_F(ConverterThreadTest, AnswersOnlyWhenItIsDrained) {
  submit("Subject: x\r\n\r\n\xc3\xa4\r\n");
  wait_for_wake();
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(converter_.drain_completions(), 1U);
  ASSERT_EQ(answers_.size(), 1U);
  ASSERT_TRUE(answers_[0].has_value());
  EXPECT_EQ(answers_[0]->find('\xc3'), std::string::npos);
}

TEST_F(ConverterThreadTest, WhatCannotBeSaidInSevenBitsIsNothing) {
  submit("Content-Type: message/partial; id=x\r\n\r\n\xc3\xa4\r\n");
  wait_for_wake();
  EXPECT_EQ(converter_.drain_completions(), 1U);
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_FALSE(answers_[0].has_value());
}

}  // namespace
}  // namespace relay
