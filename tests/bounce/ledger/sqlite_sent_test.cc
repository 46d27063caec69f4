#include "bounce/ledger/sqlite_sent.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;

const conf::WallTime kNow = conf::from_unix_micros(1'790'000'000'000'000);

uint64_t id_at(conf::WallTime time, uint64_t n) {
  return static_cast<uint64_t>(conf::unix_micros(time) / 1000) << 20 | n;
}

SentMail mail(uint64_t n, const std::string& recipient, const std::string& message_id,
              conf::WallTime at = kNow) {
  SentMail out;
  out.message = id_at(at, n);
  out.at = at;
  out.recipient = recipient;
  out.sender = "news@shop.test";
  out.site = "mx.far.test";
  out.source = "default";
  out.envid = "order 7";
  conf::LoggedHeader header;
  header.message_id = message_id;
  header.fields = {{"X-Campaign", "spring: sale"}, {"X-Empty", ""}};
  out.header = std::make_shared<const conf::LoggedHeader>(header);
  return out;
}

class SqliteSentTest : public testing::Test {
 protected:
  SqliteSentTest() { open(); }
  void open() {
    sent_.reset();
    auto opened = SqliteSent::open(folder_ / "sent.db", kNow, &warning_);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    sent_ = std::move(*opened);
  }

  TemporaryFolder folder_;
  std::string warning_;
  std::unique_ptr<SqliteSent> sent_;
};

TEST_F(SqliteSentTest, AFileOfAnOlderVersionLearnsNewColumnsAndLosesNothing) {
  ASSERT_TRUE(sent_->add({mail(1, "ann@far.test", "1@shop.test")}).ok());
  sent_.reset();
  {
    auto older = Database::open(folder_ / "sent.db", Database::Mode::kReadWrite);
    ASSERT_TRUE(older.ok());
    (*older)->begin();
    (*older)->execute("ALTER TABLE sent DROP COLUMN stream");
    (*older)->execute("ALTER TABLE sent DROP COLUMN user");
    ASSERT_TRUE((*older)->commit().ok());
  }
  open();
  EXPECT_EQ(warning_, "");
  ASSERT_TRUE(sent_->find(id_at(kNow, 1), "ann@far.test").has_value());
  EXPECT_EQ(sent_->find(id_at(kNow, 1), "ann@far.test")->stream, "");
  SentMail fresh = mail(2, "bob@far.test", "2@shop.test");
  fresh.stream = "newsletter";
  fresh.user = "tenant";
  ASSERT_TRUE(sent_->add({fresh}).ok());
  open();
  EXPECT_EQ(sent_->find(id_at(kNow, 2), "bob@far.test")->stream, "newsletter");
  EXPECT_EQ(sent_->latest_to("bob@far.test", kNow - 1h)->stream, "newsletter");
  EXPECT_EQ(sent_->of_message(id_at(kNow, 2))->user, "tenant");
  EXPECT_EQ(sent_->find(id_at(kNow, 1), "ann@far.test")->user, "");
}

TEST_F(SqliteSentTest, FindsTheRecipientOfAMessageWhomTheAskerTakes) {
  const auto is = [](const char* whom) { return [whom](const std::string& each) { return each == whom; }; };
  ASSERT_TRUE(sent_
                  ->add({mail(1, "ann@far.test", "1@shop.test"), mail(1, "bob@far.test", "1@shop.test"),
                         mail(2, "eve@far.test", "2@shop.test")})
                  .ok());
  const auto found = sent_->fitting(id_at(kNow, 1), is("bob@far.test"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->recipient, "bob@far.test");
  EXPECT_EQ(found->sender, "news@shop.test");
  EXPECT_FALSE(sent_->fitting(id_at(kNow, 1), is("eve@far.test")).has_value()) << "of another message";
}

TEST_F(SqliteSentTest, FindsWhatWasSentInEveryWayOverARestart) {
  ASSERT_TRUE(
      sent_->add({mail(1, "Ann@Far.test", "1@shop.test"), mail(2, "bob@far.test", "2@shop.test")}).ok());
  open();
  EXPECT_EQ(sent_->rows(), 2U);
  const conf::WallTime after = kNow - 1h;
  for (const auto& found :
       {sent_->find(id_at(kNow, 1), "ann@FAR.test"), sent_->with_id("1@shop.test", "ANN@far.test", after),
        sent_->latest_to("ann@far.test", after)}) {
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->message, id_at(kNow, 1));
    EXPECT_EQ(found->at, kNow);
    EXPECT_EQ(found->recipient, "ann@far.test");
    EXPECT_EQ(found->sender, "news@shop.test");
    EXPECT_EQ(found->site, "mx.far.test");
    EXPECT_EQ(found->source, "default");
    EXPECT_EQ(found->envid, "order 7");
    ASSERT_NE(found->header, nullptr);
    EXPECT_EQ(*found->header, *mail(1, "", "1@shop.test").header);
    EXPECT_FALSE(found->with_token);
  }
  EXPECT_FALSE(sent_->find(id_at(kNow, 1), "bob@far.test").has_value());
  EXPECT_FALSE(sent_->with_id("1@shop.test", "bob@far.test", after).has_value());
  EXPECT_FALSE(sent_->latest_to("carl@far.test", after).has_value());
  EXPECT_FALSE(sent_->latest_to("ann@far.test", kNow).has_value()) << "it is too old";
}

TEST_F(SqliteSentTest, KnowsWhetherAMessageIdWentToOneAlone) {
  ASSERT_TRUE(sent_
                  ->add({mail(1, "ann@far.test", "1@shop.test"), mail(2, "bob@far.test", "2@shop.test"),
                         mail(2, "carl@far.test", "2@shop.test")})
                  .ok());
  bool alone = false;
  ASSERT_TRUE(sent_->with_id("1@shop.test", kNow - 1h, &alone).has_value());
  EXPECT_TRUE(alone);
  ASSERT_TRUE(sent_->with_id("2@shop.test", kNow - 1h, &alone).has_value());
  EXPECT_FALSE(alone);
  EXPECT_FALSE(sent_->with_id("3@shop.test", kNow - 1h, &alone).has_value());
}

TEST_F(SqliteSentTest, TheLatestMailToARecipientIsMeant) {
  ASSERT_TRUE(
      sent_->add({mail(1, "ann@far.test", "1@x", kNow - 2h), mail(2, "ann@far.test", "2@x", kNow - 1h)})
          .ok());
  EXPECT_EQ(sent_->latest_to("ann@far.test", kNow - 24h)->header->message_id, "2@x");
}

TEST_F(SqliteSentTest, WhatIsToldTwiceIsThereOnce) {
  ASSERT_TRUE(sent_->add({mail(1, "ann@far.test", "1@x")}).ok());
  SentMail again = mail(1, "ann@far.test", "1@x");
  again.site.clear();  // as it is told after a restart
  ASSERT_TRUE(sent_->add({again}).ok());
  EXPECT_EQ(sent_->rows(), 1U);
  EXPECT_EQ(sent_->find(id_at(kNow, 1), "ann@far.test")->site, "mx.far.test");
}

TEST_F(SqliteSentTest, ForgetsWhatIsOldAndWhatIsTooMuchTheOldestFirst) {
  std::vector<SentMail> mails;
  for (uint64_t n = 0; n < 100; ++n)
    mails.push_back(mail(n, "a" + std::to_string(n) + "@far.test", std::to_string(n), kNow + n * 1s));
  ASSERT_TRUE(sent_->add(mails).ok());
  ASSERT_TRUE(sent_->forget(kNow + 10s, 1000, 4).ok());
  EXPECT_EQ(sent_->rows(), 96U) << "so many at a time";
  ASSERT_TRUE(sent_->forget(kNow + 10s, 1000, 1000).ok());
  EXPECT_EQ(sent_->rows(), 90U);
  ASSERT_TRUE(sent_->forget(kNow, 50, 1000).ok());
  EXPECT_EQ(sent_->rows(), 50U);
  EXPECT_FALSE(sent_->latest_to("a49@far.test", kNow - 1h).has_value());
  EXPECT_TRUE(sent_->latest_to("a50@far.test", kNow - 1h).has_value());
}

TEST_F(SqliteSentTest, ADamagedFileIsSetAside) {
  ASSERT_TRUE(sent_->add({mail(1, "ann@far.test", "1@x")}).ok());
  sent_.reset();
  std::ofstream(folder_ / "sent.db", std::ios::trunc)
      << "this is no database, and it is long enough to be one";
  std::filesystem::remove(folder_ / "sent.db-wal");
  open();
  EXPECT_NE(warning_.find("damaged"), std::string::npos) << warning_;
  EXPECT_EQ(sent_->rows(), 0U);
  EXPECT_TRUE(sent_->add({mail(1, "ann@far.test", "1@x")}).ok());
}

}  // namespace
}  // namespace bounce
