#include "relay/returns/unread_names.h"

#include <gtest/gtest.h>

#include "relay/returns/maildir.h"
#include "tests/temporary_folder.h"

namespace relay::returns {
namespace {

// Ten thousand mails and room for a hundred at each look: the folder is listed once, not a hundred times.
TEST(UnreadNames, AFolderThatIsReadInManyLooksIsListedOnce) {
  size_t listed = 0;
  std::vector<std::string> folder;
  for (size_t i = 0; i < 10'000; ++i) folder.push_back(std::to_string(i));
  const auto list = [&]() -> conf::Result<std::vector<std::string>> {
    ++listed;
    return folder;
  };
  UnreadNames names;
  std::vector<std::string> taken;
  for (size_t look = 0; look < 100; ++look) {
    ASSERT_TRUE(names.begin(list).ok());
    for (size_t i = 0; i < 100; ++i) taken.push_back(names.take());
  }
  EXPECT_EQ(listed, 1U);
  EXPECT_EQ(taken, folder);
  EXPECT_EQ(names.next(), nullptr);
  folder = {"later"};
  ASSERT_TRUE(names.begin(list).ok());
  EXPECT_EQ(listed, 2U) << "what came meanwhile is found at the next look";
  ASSERT_NE(names.next(), nullptr);
  EXPECT_EQ(*names.next(), "later");
  EXPECT_EQ(*names.next(), "later") << "until it is taken";
}

TEST(UnreadNames, AFolderThatCannotBeListedHasNothing) {
  UnreadNames names;
  const conf::Status status = names.begin([]() -> conf::Result<std::vector<std::string>> {
    return conf::Error{conf::ErrorCode::kIo, "no such folder"};
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(names.next(), nullptr);
}

// A list grows old: what somebody else took meanwhile is no trouble that an operator must know of.
TEST(UnreadNames, AMailThatIsGoneIsNotFound) {
  const TemporaryFolder path;
  conf::Result<Maildir> folder = Maildir::open(path, true);
  ASSERT_TRUE(folder.ok());
  const conf::Result<std::string> gone = folder->read("gone", 100);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, conf::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace relay::returns
