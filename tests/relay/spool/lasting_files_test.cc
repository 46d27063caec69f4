#include "relay/spool/lasting_files.h"

#include <gtest/gtest.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/temporary_folder.h"

namespace {
bool disk_has_bad_block = false;
}  // namespace

// In the place of the C library's: what std::filesystem::copy_file() reads with.
extern "C" ssize_t sendfile(int to, int from, off_t* at, size_t octets) noexcept {
  if (disk_has_bad_block) {
    errno = EIO;
    return -1;
  }
  return ::syscall(SYS_sendfile, to, from, at, octets);
}
extern "C" ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t octets,
                                   unsigned flags) {
  if (disk_has_bad_block) {
    errno = EIO;
    return -1;
  }
  return ::syscall(SYS_copy_file_range, from, from_at, to, to_at, octets, flags);
}

namespace relay::spool {
namespace {

namespace fs = std::filesystem;

class CopyToDisk : public testing::Test {
 protected:
  CopyToDisk() { std::ofstream(folder_ / "from") << content_; }
  ~CopyToDisk() override { disk_has_bad_block = false; }
  std::string copied() const {
    std::ifstream in(folder_ / "to");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const std::string content_ = std::string(100'000, 'x');
  TemporaryFolder folder_;
};

TEST_F(CopyToDisk, CopiesAndReplaces) {
  std::ofstream(folder_ / "to") << "older";
  EXPECT_FALSE(copy_to_disk(folder_ / "from", folder_ / "to"));
  EXPECT_EQ(copied(), content_);
}

// What can be read of a damaged file is all that there is of it: it is copied around the bad block.
TEST_F(CopyToDisk, ABlockThatCannotBeReadCostsNoMoreThanItself) {
  disk_has_bad_block = true;
  EXPECT_FALSE(copy_to_disk(folder_ / "from", folder_ / "to"));
  EXPECT_EQ(copied(), content_);
}

TEST_F(CopyToDisk, SaysWhatIsWrongWithAFileThatIsNotThere) {
  EXPECT_EQ(copy_to_disk(folder_ / "gone", folder_ / "to"), std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace relay::spool
