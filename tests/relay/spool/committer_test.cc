// What the committer does with kept values when writes fail.
#include "relay/spool/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace relay::spool {
namespace {

using namespace std::chrono_literals;

class FlakyWriter final : public BatchWriter {
 public:
  std::atomic<bool> failing = false;
  std::vector<std::string> written;  // "key=value", and "id" of an update

  conf::Status write(const std::vector<WriteRequest>& batch) override {
    if (failing) return conf::Error{conf::ErrorCode::kNoSpace, "full"};
    for (const WriteRequest& request : batch) {
      if (request.kind == WriteKind::kUpdate) written.push_back(std::to_string(request.id));
      for (const auto& [key, value] : request.values) written.push_back(key + "=" + value);
    }
    return conf::success();
  }
  conf::Status mend() override { return conf::success(); }
};

WriteRequest keep(std::string key, std::string value, std::function<void(conf::Status)> done) {
  WriteRequest request{WriteKind::kKeep, 0, {}, {}, std::move(done)};
  request.values.emplace_back(std::move(key), std::move(value));
  return request;
}

TEST(Committer, KeptValuesAreRefusedWhileWritesFailAndUpdatesAreRetained) {
  FlakyWriter writer;
  Completions completions;
  std::vector<std::string> answers;
  const auto note = [&answers](const conf::Status& status) {
    answers.push_back(status.ok() ? "kept" : status.error().detail);
  };
  {
    Committer committer(&writer, &completions, {.retry_interval = 10ms});
    writer.failing = true;
    committer.submit(keep("a", "1", note));
    committer.submit(keep("a", "2", nullptr));
    committer.submit({WriteKind::kUpdate, 7, "record", {}, {}});
    committer.flush();
    EXPECT_TRUE(committer.trouble().has_value());
    committer.submit(keep("a", "3", note));  // known to fail: refused at once
    writer.failing = false;
    while (committer.trouble()) std::this_thread::sleep_for(1ms);
    committer.submit(keep("a", "4", note));
    committer.submit(keep("b", "", note));
    committer.flush();
  }
  completions.drain();
  EXPECT_EQ(answers, (std::vector<std::string>{"full", "full", "kept", "kept"}));
  EXPECT_EQ(writer.written, (std::vector<std::string>{"7", "a=4", "b="}));
}

// A write that waits for the disk answers those who wait for it; it may still come to pass.
TEST(Committer, AStallAnswersKeeps) {
  class StallingWriter final : public BatchWriter {
   public:
    Committer* committer = nullptr;
    size_t values = 0;
    conf::Status write(const std::vector<WriteRequest>& batch) override {
      if (!batch.empty()) committer->stall({conf::ErrorCode::kNoSpace, "full"});
      for (const WriteRequest& request : batch) values += request.values.size();
      return conf::success();
    }
    conf::Status mend() override { return conf::success(); }
  } writer;
  Completions completions;
  std::vector<std::string> answers;
  {
    Committer committer(&writer, &completions, {.retry_interval = 10ms});
    writer.committer = &committer;
    committer.submit(keep("a", "1", [&answers](const conf::Status& status) {
      answers.push_back(status.ok() ? "kept" : status.error().detail);
    }));
    while (completions.drain() == 0) std::this_thread::sleep_for(1ms);
    committer.flush();
    EXPECT_FALSE(committer.trouble().has_value());
  }
  EXPECT_EQ(completions.drain(), 0U);
  EXPECT_EQ(answers, (std::vector<std::string>{"full"}));
  EXPECT_EQ(writer.values, 1U);
}

// Two seconds without room, then the disk refuses for good: the store was answered by the stall.
TEST(Committer, AWriteRefusedAfterAStallAnswersNobodyTwice) {
  class DyingWriter final : public BatchWriter {
   public:
    Committer* committer = nullptr;
    std::atomic<bool> dying = true;
    std::atomic<int> removed = 0;
    conf::Status write(const std::vector<WriteRequest>& batch) override {
      if (dying) {
        if (!batch.empty()) committer->stall({conf::ErrorCode::kNoSpace, "full"});
        return conf::Error{conf::ErrorCode::kIo, "dead"};
      }
      for (const WriteRequest& request : batch) removed += request.kind == WriteKind::kRemove ? 1 : 0;
      return conf::success();
    }
    conf::Status mend() override { return conf::success(); }
  } writer;
  Completions completions;
  std::vector<std::string> answers;
  {
    Committer committer(&writer, &completions, {.retry_interval = 10ms});
    writer.committer = &committer;
    committer.submit(
        {WriteKind::kStore, 7, "record", conf::Bytes("body"), [&answers](const conf::Status& status) {
           answers.push_back(status.ok() ? "stored" : status.error().detail);
         }});
    committer.flush();
    completions.drain();
    EXPECT_TRUE(committer.trouble().has_value());
    writer.dying = false;
    while (committer.trouble()) std::this_thread::sleep_for(1ms);
  }
  completions.drain();
  EXPECT_EQ(answers, (std::vector<std::string>{"full"}));
  EXPECT_EQ(writer.removed, 1);  // part of it may be on disk: it is taken out again
}

// An update stalls, a newer one of the same recipient comes, and then the disk refuses for good.
TEST(Committer, AfterAStallThatFailsTheNewestUpdateIsWritten) {
  class DyingWriter final : public BatchWriter {
   public:
    Committer* committer = nullptr;
    std::atomic<bool> began = false, newer = false, dying = true;
    std::vector<std::string> written;
    conf::Status write(const std::vector<WriteRequest>& batch) override {
      if (!dying) {
        for (const WriteRequest& request : batch) written.push_back(request.record);
        return conf::success();
      }
      if (batch.empty()) return conf::Error{conf::ErrorCode::kIo, "dead"};
      began = true;
      while (!newer) std::this_thread::sleep_for(1ms);
      committer->stall({conf::ErrorCode::kNoSpace, "full"});
      return conf::Error{conf::ErrorCode::kIo, "dead"};
    }
    conf::Status mend() override {
      if (dying) return conf::Error{conf::ErrorCode::kIo, "dead"};
      return conf::success();
    }
  } writer;
  Completions completions;
  {
    Committer committer(&writer, &completions, {.retry_interval = 10ms});
    writer.committer = &committer;
    committer.submit({WriteKind::kUpdate, 7, "pending", {}, {}});
    while (!writer.began) std::this_thread::sleep_for(1ms);
    committer.submit({WriteKind::kUpdate, 7, "delivered", {}, {}});
    writer.newer = true;
    while (!committer.trouble()) std::this_thread::sleep_for(1ms);
    committer.flush();
    writer.dying = false;
    while (committer.trouble()) std::this_thread::sleep_for(1ms);
    committer.flush();
  }
  EXPECT_EQ(writer.written, std::vector<std::string>{"delivered"});
}

}  // namespace
}  // namespace relay::spool
