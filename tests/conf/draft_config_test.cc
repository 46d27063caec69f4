#include "conf/draft_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.h"

namespace conf {
namespace {

class DraftConfigTest : public testing::Test {
 protected:
  DraftConfig draft_of(const std::string& text) {
    std::ofstream(file_) << text;
    return load_draft(file_);
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_ / "relay.toml";
};

TEST_F(DraftConfigTest, ARightFileIsTheWhole) {
  const DraftConfig draft = draft_of(
      "hostname = \"r.example.com\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n[admin]\nsocket = "
      "\"/run/a\"\n");
  EXPECT_EQ(draft.trouble, "");
  ASSERT_NE(draft.config, nullptr);
  EXPECT_EQ(draft.config->admin.socket, "/run/a");
}

TEST_F(DraftConfigTest, AWrongKeyHidesNoPlace) {
  const DraftConfig draft = draft_of(
      "hostname = \"r.example.com\"\nmax_outbound_conections = 3\n[[listener]]\naddress = "
      "\"127.0.0.1:25\"\n[admin]\nsocket = \"/run/a\"\n"
      "[log]\npath = \"/l\"\nrotate = 3\n");
  ASSERT_NE(draft.config, nullptr);
  EXPECT_EQ(draft.config->admin.socket, "/run/a");
  EXPECT_EQ(draft.config->log.path, "/l");
  EXPECT_TRUE(draft.trouble.starts_with(file_ + ":2:")) << draft.trouble;
  EXPECT_TRUE(draft.trouble.ends_with(", and 1 more error")) << draft.trouble;
}

TEST_F(DraftConfigTest, ASlipOfTheHandHidesNoPlaceOfAnotherSection) {
  const DraftConfig draft = draft_of(
      "hostname = r.example.com\n  [admin]  # here\nsocket = \"/run/a\"\n[spool]\npath = /s\n"
      "[log]\npath = \"/l\"");
  ASSERT_NE(draft.config, nullptr);
  EXPECT_EQ(draft.config->admin.socket, "/run/a");
  EXPECT_EQ(draft.config->log.path, "/l");
  EXPECT_EQ(draft.config->spool.path, SpoolSettings().path);
  EXPECT_TRUE(draft.trouble.starts_with(file_ + ":1:")) << draft.trouble;
}

TEST_F(DraftConfigTest, ASectionThatIsThereTwiceIsTakenOnce) {
  const DraftConfig draft = draft_of("[admin]\nsocket = \"/run/a\"\n[admin]\nsocket = \"/run/b\"\n");
  ASSERT_NE(draft.config, nullptr);
  EXPECT_EQ(draft.config->admin.socket, "/run/a");
}

TEST_F(DraftConfigTest, NoFileIsNoDraft) {
  const DraftConfig draft = load_draft(file_);
  EXPECT_EQ(draft.config, nullptr);
  EXPECT_EQ(draft.trouble, file_ + ": cannot read the file: No such file or directory");
}

TEST_F(DraftConfigTest, WithoutTheRightToReadTheUsualPlacesHold) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  (void)draft_of("");
  std::filesystem::permissions(file_, std::filesystem::perms::none);
  const DraftConfig draft = load_draft(file_);
  ASSERT_NE(draft.config, nullptr);
  EXPECT_EQ(draft.config->admin.socket, AdminSettings().socket);
  EXPECT_NE(draft.trouble.find("Permission denied"), std::string::npos) << draft.trouble;
}

}  // namespace
}  // namespace conf
