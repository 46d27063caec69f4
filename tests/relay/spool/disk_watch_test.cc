#include "relay/spool/disk_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace relay::spool {
namespace {

using Space = DiskWatch::Space;

TEST(DiskWatch, AFileSystemThatDoesNotAnswerStopsNobodyWhoAsksForItsState) {
  std::promise<void> over;
  const std::shared_future<void> answer = over.get_future().share();
  std::atomic<int> asked = 0;
  DiskWatch watch("/spool", 100, [&](const std::string&) -> conf::Result<Space> {
    if (++asked > 1) answer.wait();  // it hangs from the second time on
    return Space{1000, false, {}};
  });
  EXPECT_TRUE(watch.state().enough);
  while (asked < 2) std::this_thread::yield();
  auto seen = std::async(std::launch::async, [&watch] { return watch.state().free_bytes; });
  const bool answered = seen.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  over.set_value();
  EXPECT_TRUE(answered);
  EXPECT_EQ(seen.get(), 1000U) << "what was seen before it hung";
}

TEST(DiskWatch, SeesWhatChanges) {
  std::atomic<uint64_t> free = 50;
  const DiskWatch watch("/spool", 100, [&](const std::string&) -> conf::Result<Space> {
    return Space{free, false, {}};
  });
  EXPECT_FALSE(watch.state().enough);
  free = 1000;
  for (int i = 0; i < 500 && !watch.state().enough; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(watch.state().enough);
}

TEST(DiskWatch, WhereTheSystemCannotSayNothingIsTaken) {
  const DiskWatch watch("/no/such/directory", 100);
  EXPECT_FALSE(watch.state().enough);
  EXPECT_NE(watch.state().why.find("/no/such/directory"), std::string::npos);
}

TEST(DiskWatch, TheAnswerDoesNotFlapAtTheReserve) {
  EXPECT_TRUE(judge_disk({160, false, {}}, 160, true).enough);
  EXPECT_FALSE(judge_disk({159, false, {}}, 160, true).enough);
  EXPECT_FALSE(judge_disk({169, false, {}}, 160, false).enough);
  EXPECT_TRUE(judge_disk({170, false, {}}, 160, false).enough);
  EXPECT_FALSE(judge_disk({1000, true, {}}, 160, true).enough) << "read-only";
  EXPECT_EQ(judge_disk({500'000, false, {}}, 1'000'000, true).why,
            "disk space is low: 488 KiB free, the reserve is 976 KiB");
  EXPECT_EQ(judge_disk({62'853'120, false, {}}, 256'000'000, true).why,
            "disk space is low: 59 MiB free, the reserve is 244 MiB");
}

// A disk with room where no file can be made: full of small ones.
TEST(DiskWatch, InodesRunOutToo) {
  const auto with = [](std::optional<uint64_t> inodes, bool was_enough) {
    return judge_disk({1'000'000, false, inodes}, 100, was_enough);
  };
  EXPECT_TRUE(with({}, true).enough) << "made as they are needed, as btrfs does";
  EXPECT_TRUE(with(100, true).enough);
  EXPECT_FALSE(with(100, false).enough);
  EXPECT_TRUE(with(106, false).enough);
  EXPECT_FALSE(with(0, true).enough);
  EXPECT_EQ(with(99, true).why,
            "the disk is running out of inodes: 99 free (df -i), however much space there is; delete or move "
            "small files on it");
}

}  // namespace
}  // namespace relay::spool
