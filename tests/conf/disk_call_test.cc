#include "conf/disk_call.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace conf {
namespace {

using namespace std::chrono_literals;

size_t count_of(const std::string& text, const std::string& wanted) {
  size_t count = 0;
  for (size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++count;
  return count;
}

TEST(DiskCall, OneThatHangsIsToldOnceAndAgainWhenItGoesOn) {
  const std::string hangs = "/var/spool/penstock/db/000007.log", answers = "/var/log/penstock/delivery.log";
  testing::internal::CaptureStderr();
  {
    const DiskWatcher watcher(300ms);
    std::thread other([&] {
      for (int i = 0; i < 100; ++i) {
        const DiskCall call("writing", answers);
        std::this_thread::sleep_for(2ms);
      }
    });
    {
      const DiskCall call("syncing", hangs);
      std::this_thread::sleep_for(900ms);
    }
    other.join();
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count_of(said, "penstock: the disk does not answer: syncing " + hangs +
                               " has taken 0 s so far, since "),
            1U)
      << said;
  EXPECT_EQ(count_of(said, "penstock: the disk goes on: syncing " + hangs + " took 0 s\n"), 1U) << said;
  EXPECT_EQ(count_of(said, answers), 0U) << said;
}

TEST(DiskCall, OneThatEndsInTimeIsNotToldOf) {
  testing::internal::CaptureStderr();
  {
    const DiskWatcher watcher(10s);
    const DiskCall call("writing", "/somewhere");
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace conf
