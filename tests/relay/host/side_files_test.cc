#include "relay/host/side_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "bounce/diagnostic.h"
#include "bounce/qualification_table.h"
#include "relay/host/text_table_file.h"
#include "tests/temporary_folder.h"

namespace relay {
namespace {

class SideFilesTest : public testing::Test {
 protected:
  SideFilesTest() {
    config_.file = path("relay.toml");
    config_.spool.path = path("spool");
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  // What a second reading says of the first, after `change`.
  template <typename Change>
  std::vector<std::string> after(Change change) {
    const SideFiles before = SideFiles::read(config_);
    change();
    return before.changes_to(SideFiles::read(config_));
  }

  TemporaryFolder folder_;
  conf::Config config_;
};

using Lines = std::vector<std::string>;

TEST_F(SideFilesTest, NamesEachFileWhoseTextIsAnother) {
  config_.replies.rules = "replies.toml";  // as the relay finds it: beside the configuration
  conf::Login login;
  login.name = "hub";
  login.file = path("password");
  config_.logins.push_back(login);
  config_.tls_certificate = path("cert.pem");
  for (const char* name : {"replies.toml", "password", "cert.pem"}) write(name, "one");
  EXPECT_EQ(after([] {}), Lines());
  EXPECT_EQ(after([&] { write("replies.toml", "two"); }),
            Lines{path("replies.toml") + " ([replies] rules): another text than before"});
  EXPECT_EQ(after([&] {
              write("password", "two");
              write("cert.pem", "two");
            }),
            (Lines{path("cert.pem") + " ([tls] certificate): another text than before",
                   path("password") + " ([[login]] hub file): another text than before"}));
}

// A common slip: the folder of the certificates in place of the file.
TEST_F(SideFilesTest, AFolderInPlaceOfAFileIsNoException) {
  config_.tls_ca_file = folder_.string();
  EXPECT_EQ(after([] {}), Lines());
}

TEST_F(SideFilesTest, AFileThatOnlyOneNamesIsAMatterOfTheConfiguration) {
  write("cert.pem", "one");
  EXPECT_EQ(after([&] { config_.tls_certificate = path("cert.pem"); }), Lines());
}

// The relay counts in the same file.
TEST_F(SideFilesTest, OfTheTableOnlyDecisionsCount) {
  bounce::QualificationTable table;
  const bounce::Reply reply = bounce::read_diagnostic("550 5.7.1 not with us");
  const std::string file = text_table_path(config_);
  const auto seen = [&] {
    table.note("550 5.7.1 not with us", reply, "mx.example", {}, conf::WallTime{});
    EXPECT_TRUE(write_text_table(file, table).ok());
  };
  seen();
  EXPECT_EQ(after(seen), Lines());
  EXPECT_EQ(after([&] {
              const uint64_t key = table.rows().front()->key;
              EXPECT_TRUE(table.decide(key, {key, conf::Reason::kUserUnknown, conf::ErrorType::kHard, {}},
                                       bounce::RowStatus::kKeep));
              EXPECT_TRUE(write_text_table(file, table).ok());
            }),
            Lines{file + " ([replies] table): other decisions than before"});
}

}  // namespace
}  // namespace relay
