// A message that cannot be read is set aside, and the rest goes on; what was answered is in the files.
#include "relay/spool/rocks_spool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/relay/spool/rocks_damage_rig.h"

namespace relay::spool {
namespace {

TEST_F(DamagedSpool, ABadRecordIsSetAsideAndTheRestGoesOn) {
  for (conf::MessageId id = 1; id <= 5; ++id) store(id);
  flip_value("records", id_key(3));
  open();
  recover();
  EXPECT_EQ(found_.size(), 4U);
  ASSERT_EQ(aside_.count(conf::to_text(conf::MessageId{3})), 1U);
  EXPECT_EQ(aside_.begin()->second, "it cannot be read and was set aside: record fails its checksum");
  EXPECT_TRUE(
      std::filesystem::exists(folder_ / "set-aside" / (conf::to_text(conf::MessageId{3}) + ".record")));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside" / (conf::to_text(conf::MessageId{3}) + ".body")));
  EXPECT_EQ(load(4).value().body.view(), body_of(4));
  spool_->flush();
  open();
  recover();
  EXPECT_EQ(found_.size(), 4U);
  EXPECT_TRUE(aside_.empty()) << "set aside once";
}

TEST_F(DamagedSpool, ABadBodyIsSetAsideWhenItIsRead) {
  for (conf::MessageId id = 1; id <= 3; ++id) store(id);
  flip_value("bodies", id_key(2));
  open();
  recover();
  EXPECT_EQ(found_.size(), 3U) << "bodies are not read at the start";
  EXPECT_EQ(load(2).error().code, conf::ErrorCode::kCorrupt);
  EXPECT_EQ(load(1).value().body.view(), body_of(1));
  EXPECT_EQ(spool_->counters().set_aside, 1U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside" / (conf::to_text(conf::MessageId{2}) + ".body")));
}

TEST_F(DamagedSpool, WhatIsTakenOutWhileItIsReadIsGoneOrWholeAndNeverDamaged) {
  constexpr conf::MessageId kMessages = 400;
  MessageRecord record;
  record.recipients.resize(200);  // there is something to read between the record and the body
  for (conf::MessageId id = 1; id <= kMessages; ++id) {
    record.id = id;
    record.recipients[0].state = RecipientState::kPending;
    ASSERT_TRUE(spool::store(spool_.get(), record, body_of(id)).ok());
    record.recipients[0].state = RecipientState::kDelivered;
    spool_->update(record, std::vector<uint32_t>{0});
  }
  size_t answers = 0, gone = 0;
  for (conf::MessageId id = 1; id <= kMessages; ++id) {
    spool_->load(id, true, [&](conf::Result<LoadedMessage> loaded) {
      ++answers;
      if (loaded.ok()) {
        EXPECT_EQ(loaded->record.recipients[0].state, RecipientState::kDelivered)
            << "of one moment: its record without what became of it";
      } else {
        ++gone;
        EXPECT_EQ(loaded.error().code, conf::ErrorCode::kNotFound) << loaded.error().detail;
      }
    });
    spool_->remove(id);
    if (id % 4 == 0) wait(spool_.get(), [&] { return answers == id; });
  }
  wait(spool_.get(), [&] { return answers == kMessages; });
  EXPECT_EQ(spool_->counters().set_aside, 0U);
  EXPECT_GT(gone, 0U);
}

TEST_F(DamagedSpool, ABadKeptValueIsPassedOverAndReported) {
  spool_->keep_all({{"a", "1"}, {"b", "2"}, {"c", "3"}}, nullptr);
  store(1);
  flip_value("default", "b");
  open();
  std::map<std::string, std::string> good;
  const auto read = [this, &good] {
    good.clear();
    aside_.clear();
    ASSERT_TRUE(
        spool_
            ->kept([&](std::string_view key, std::string_view value) { good[std::string(key)] = value; },
                   [&](const std::string& key, const std::string& why) { aside_[key] = why; })
            .ok());
  };
  read();
  EXPECT_EQ(good, (std::map<std::string, std::string>{{"a", "1"}, {"c", "3"}}));
  EXPECT_EQ(aside_, (std::map<std::string, std::string>{{"b", "value fails its checksum"}}));
  spool_->keep("b", "4", nullptr);
  spool_->flush();
  read();
  EXPECT_EQ(good.size(), 3U);
  EXPECT_TRUE(aside_.empty());
  recover();
  EXPECT_EQ(found_.size(), 1U);
}

// A power cut keeps what was synced: the files as they are after the answer, without a close.
TEST_F(DamagedSpool, AnAnsweredKeepIsInTheFiles) {
  std::optional<conf::Status> answer;
  spool_->keep_all({{"a", "1"}, {"b", "2"}}, [&answer](conf::Status status) { answer = std::move(status); });
  wait(spool_.get(), [&answer] { return answer.has_value(); });
  ASSERT_TRUE(answer->ok());
  EXPECT_EQ(spool_->counters().syncs, 1U);
  const std::filesystem::path copy = folder_.string() + "-copy";
  std::filesystem::remove_all(copy);
  std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
  spool_.reset();
  std::filesystem::remove_all(folder_);
  std::filesystem::rename(copy, folder_);
  open();
  int found = 0;
  ASSERT_TRUE(spool_
                  ->kept([&found](std::string_view, std::string_view) { ++found; },
                         [](const std::string& key, const std::string&) { FAIL() << key; })
                  .ok());
  EXPECT_EQ(found, 2);
}

// tests/relay/spool/v1 was written by a program that kept the state of all recipients in the record.
using OlderSpool = SpoolOnDisk;
TEST_F(OlderSpool, IsReadAndGoesOn) {
  std::filesystem::copy(PENSTOCK_SOURCE_DIR "/tests/relay/spool/v1", folder_,
                        std::filesystem::copy_options::recursive);
  std::map<conf::MessageId, MessageRecord> found;
  for (const uint16_t attempts : {3, 4}) {
    open();
    found.clear();
    ASSERT_TRUE(spool_
                    ->recover([&found](MessageRecord record) { found[record.id] = std::move(record); },
                              [](const std::string& key, const std::string& why) {
                                ADD_FAILURE() << key << ": " << why;
                              })
                    .ok());
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[1].on_hold);
    EXPECT_EQ(found[1].recipients[0].state, RecipientState::kDelivered);
    EXPECT_EQ(found[1].recipients[1].attempts, attempts);
    EXPECT_EQ(found[1].recipients[1].last_reply, "later");
    EXPECT_FALSE(found[2].on_hold);
    EXPECT_EQ(found[2].recipients[2].state, RecipientState::kPending);
    EXPECT_EQ(spool_->kept_value("K").value(), "value");
    EXPECT_EQ(load(spool_.get(), 2).value().body.view(), "Subject: v1\r\n\r\n");
    found[1].recipients[1].attempts = 4;
    spool_->update(found[1], deliveries_of(found[1])[1]);
    spool_->flush();
  }
}

}  // namespace
}  // namespace relay::spool
