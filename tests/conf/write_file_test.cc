#include "conf/write_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

namespace conf {
namespace {

TEST(WriteFile, TakesAsManyCallsAsItNeeds) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string much(3'000'000, 'x');  // a pipe takes 64 KB at a time
  std::string got;
  std::thread reader([&] {
    char piece[10'000];
    for (ssize_t some = 1; some > 0;) {
      some = ::read(ends[0], piece, sizeof piece);
      if (some > 0) got.append(piece, static_cast<size_t>(some));
    }
  });
  EXPECT_TRUE(write_all(ends[1], much));
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(got.size(), much.size());
}

TEST(WriteFile, SaysWhenThereIsNoRoom) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_FALSE(write_all(full, "x"));
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_TRUE(write_all(full, ""));
  ::close(full);
}

}  // namespace
}  // namespace conf
