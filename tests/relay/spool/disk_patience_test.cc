#include "relay/spool/disk_patience.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <thread>

namespace relay::spool {
namespace {

// A write that waits for a full disk, from the moment that it says so to whoever listens.
class WaitingWrite {
 public:
  explicit WaitingWrite(DiskPatience* patience)
      : thread_([this, patience] {
          unsigned waited = 100;
          while (!over_) patience->wait("000007.log", ENOSPC, &waited);
        }) {}
  ~WaitingWrite() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

TEST(DiskPatience, WhoIsNoLongerListedIsNotInACallWhenOnStallHasReturned) {
  DiskPatience patience;
  std::atomic<int> calls = 0;
  std::atomic<bool> inside = false;
  patience.on_stall([&](const conf::Error&) {
    inside = true;
    ++calls;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    inside = false;
  });
  const WaitingWrite write(&patience);
  while (calls == 0) std::this_thread::yield();
  patience.on_stall({});
  EXPECT_FALSE(inside);
  const int before = calls;
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  EXPECT_EQ(calls, before);
}

TEST(DiskPatience, WhoIsListedWhileAWriteWaitsHearsOfIt) {
  DiskPatience patience;
  const WaitingWrite write(&patience);
  while (!patience.waiting()) std::this_thread::yield();
  std::atomic<bool> heard = false;
  patience.on_stall([&](const conf::Error& error) { heard = error.code == conf::ErrorCode::kNoSpace; });
  for (int i = 0; i < 500 && !heard; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(heard);
  patience.on_stall({});
}

}  // namespace
}  // namespace relay::spool
