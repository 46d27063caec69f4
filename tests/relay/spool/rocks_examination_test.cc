#include "relay/spool/examination.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include "tests/relay/spool/rocks_damage_rig.h"

namespace relay::spool {
namespace {

TEST_F(DamagedSpool, CheckSaysWhatRepairThenDoesAndChangesNothing) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  write_out();
  for (conf::MessageId id = 21; id <= 30; ++id) store(id);
  spool_.reset();
  std::map<std::string, std::string> before = all_files();
  conf::Result<Examination> found = check_spool(folder_, testing::TempDir());
  ASSERT_TRUE(found.ok()) << found.error().detail;
  EXPECT_TRUE(found->good());
  EXPECT_EQ(found->messages, 30U);
  EXPECT_EQ(found->recipients, 30U);
  EXPECT_TRUE(all_files() == before);

  flip_file(".blob");  // a body that a start does not read
  before = all_files();
  found = check_spool(folder_, testing::TempDir());
  ASSERT_TRUE(found.ok()) << found.error().detail;
  ASSERT_EQ(found->damage.size(), 1U);
  EXPECT_EQ(found->messages, 29U);
  EXPECT_TRUE(all_files() == before) << "check has written";

  conf::Result<Examination> repaired = repair_spool(settings());
  ASSERT_TRUE(repaired.ok()) << repaired.error().detail;
  EXPECT_EQ(repaired->damage, found->damage);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside" / (found->damage.front().first + ".record")));
  found = check_spool(folder_, testing::TempDir());
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->good());
  EXPECT_EQ(found->messages, 29U);
}

TEST_F(DamagedSpool, ASpoolThatIsOpenIsNotExamined) {
  store(1);
  const pid_t child = fork();  // locks are those of a process
  if (child == 0) {
    const conf::Result<Examination> found = check_spool(folder_, testing::TempDir());
    _exit(!found.ok() && found.error().code == conf::ErrorCode::kRefused ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(check_spool(folder_ / "db", testing::TempDir()).error().code, conf::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace relay::spool
