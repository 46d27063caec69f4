#include "relay/host/settings_reader.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace relay {
namespace {

// A loop whose work the test does, and a reading that lasts until the test says what it found.
class SettingsReaderTest : public testing::Test {
 protected:
  SettingsReaderTest() {
    reader_ = std::make_unique<SettingsReader>(SettingsReader::Parts{
        [this] {
          FreshSettings fresh;
          fresh.refused = from(&found_);
          if (fresh.refused == "thrown") (void)std::string().at(1);  // as a library may
          return fresh;
        },
        [this](std::function<void()> work) { add(&work_, std::move(work)); }, [this] { ++begun_; },
        [](const FreshSettings& fresh) {
          admin::ReloadDone done;
          done.refused = fresh.refused;
          return done;
        }});
  }
  void ask(const std::string& who) {
    reader_->ask([this, who](const admin::ReloadDone& done) { heard_.push_back(who + ": " + done.refused); });
  }
  template <typename T>
  void add(std::deque<T>* queue, T what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue->push_back(std::move(what));
    changed_.notify_all();
  }
  // Waits until there is something.
  template <typename T>
  T from(std::deque<T>* queue) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [queue] { return !queue->empty(); });
    T what = std::move(queue->front());
    queue->pop_front();
    return what;
  }
  void loop_once() { from (&work_)(); }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> found_;
  std::deque<std::function<void()>> work_;
  int begun_ = 0;
  std::vector<std::string> heard_;
  std::unique_ptr<SettingsReader> reader_;
};

TEST_F(SettingsReaderTest, TheLoopGoesOnWhileTheFilesAreRead) {
  ask("one");  // comes back at once, though the reading is not over
  EXPECT_EQ(begun_, 1);
  EXPECT_TRUE(heard_.empty());
  add(&found_, std::string("a"));
  loop_once();
  EXPECT_EQ(heard_, (std::vector<std::string>{"one: a"}));
}

TEST_F(SettingsReaderTest, WhoAsksDuringAReadingHearsOfTheNextOne) {
  ask("one");
  ask("two");
  ask("three");
  EXPECT_EQ(begun_, 1) << "one at a time";
  add(&found_, std::string("a"));
  loop_once();
  EXPECT_EQ(heard_, (std::vector<std::string>{"one: a"}));
  EXPECT_EQ(begun_, 2);
  add(&found_, std::string("b"));
  loop_once();
  EXPECT_EQ(heard_, (std::vector<std::string>{"one: a", "two: b", "three: b"}));
  EXPECT_EQ(begun_, 2);
}

TEST_F(SettingsReaderTest, TheEndWaitsForAReadingAndNobodyHearsOfIt) {
  ask("one");
  add(&found_, std::string("a"));
  reader_.reset();
  EXPECT_TRUE(heard_.empty());
  EXPECT_EQ(work_.size(), 1U) << "posted, and never done";
}

TEST_F(SettingsReaderTest, WhatIsThrownRefusesTheReload) {
  ask("anna");
  add(&found_, std::string("thrown"));
  loop_once();
  ASSERT_EQ(heard_.size(), 1U);
  EXPECT_GT(heard_.front().size(), std::string("anna: ").size()) << "it says why";
}

}  // namespace
}  // namespace relay
