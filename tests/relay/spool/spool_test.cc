// What both spools promise (relay/spool/spool.h), and what only the one on disk can be asked.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "relay/spool/memory_spool.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_spool.h"
#include "tests/relay/spool/disk_rig.h"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;

MessageRecord sample(conf::MessageId id) {
  MessageRecord record;
  record.id = id;
  record.accepted_at = conf::from_unix_micros(1'790'000'000'000'000);
  record.envelope.reverse_path = conf::Mailbox::parse("a@b.test").value();
  record.envelope.envid = "e 1";
  record.envelope.ret = conf::Ret::kHeaders;
  record.envelope.body = conf::BodyType::k8BitMime;
  record.envelope.smtputf8 = true;
  record.envelope.mandated = true;
  record.envelope.listener = "main";
  record.envelope.client_address = "192.0.2.1";
  record.envelope.client_name = "c";
  record.envelope.authenticated_as = "joe";
  RecipientRecord recipient;
  recipient.recipient.mailbox = conf::Mailbox::parse("x@y.test").value();
  recipient.recipient.notify = conf::kNotifyFailure;
  recipient.recipient.orcpt = "rfc822;x@y.test";
  recipient.state = RecipientState::kPending;
  recipient.attempts = 3;
  recipient.reply_code = 451;
  recipient.enhanced_status = "4.2.1";
  recipient.last_reply = "try later";
  recipient.mx_host = "mx.y.test";
  recipient.greylisted_from = "news";
  recipient.due = conf::from_unix_micros(1'790'000'123'000'000);
  record.recipients = {recipient, recipient};
  record.recipients[1].state = RecipientState::kDelivered;
  record.recipients[1].delay_told = true;
  record.size_bytes = 5;
  record.on_hold = true;
  record.report_about = 9;
  conf::LoggedHeader header;
  header.message_id = "1@b.test";
  header.fields = {{"X-Campaign", "spring"}, {"X-Empty", ""}};
  record.header = std::make_shared<const conf::LoggedHeader>(header);
  record.stream = "newsletter";
  return record;
}

void expect_same(const MessageRecord& a, const MessageRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.accepted_at, b.accepted_at);
  EXPECT_EQ(a.envelope.reverse_path, b.envelope.reverse_path);
  EXPECT_EQ(a.envelope.envid, b.envelope.envid);
  EXPECT_EQ(a.envelope.ret, b.envelope.ret);
  EXPECT_EQ(a.envelope.body, b.envelope.body);
  EXPECT_EQ(a.envelope.smtputf8, b.envelope.smtputf8);
  EXPECT_EQ(a.envelope.mandated, b.envelope.mandated);
  EXPECT_EQ(a.envelope.listener, b.envelope.listener);
  EXPECT_EQ(a.envelope.client_address, b.envelope.client_address);
  EXPECT_EQ(a.envelope.client_name, b.envelope.client_name);
  EXPECT_EQ(a.envelope.authenticated_as, b.envelope.authenticated_as);
  EXPECT_EQ(a.size_bytes, b.size_bytes);
  EXPECT_EQ(a.on_hold, b.on_hold);
  EXPECT_EQ(a.report_about, b.report_about);
  EXPECT_EQ(a.stream, b.stream);
  ASSERT_EQ(a.header == nullptr, b.header == nullptr);
  if (a.header != nullptr) {
    EXPECT_EQ(*a.header, *b.header);
  }
  ASSERT_EQ(a.recipients.size(), b.recipients.size());
  for (size_t i = 0; i < a.recipients.size(); ++i) {
    EXPECT_EQ(a.recipients[i].recipient.mailbox, b.recipients[i].recipient.mailbox);
    EXPECT_EQ(a.recipients[i].recipient.notify, b.recipients[i].recipient.notify);
    EXPECT_EQ(a.recipients[i].recipient.orcpt, b.recipients[i].recipient.orcpt);
    EXPECT_EQ(a.recipients[i].state, b.recipients[i].state);
    EXPECT_EQ(a.recipients[i].attempts, b.recipients[i].attempts);
    EXPECT_EQ(a.recipients[i].reply_code, b.recipients[i].reply_code);
    EXPECT_EQ(a.recipients[i].enhanced_status, b.recipients[i].enhanced_status);
    EXPECT_EQ(a.recipients[i].last_reply, b.recipients[i].last_reply);
    EXPECT_EQ(a.recipients[i].mx_host, b.recipients[i].mx_host);
    EXPECT_EQ(a.recipients[i].greylisted_from, b.recipients[i].greylisted_from);
    EXPECT_EQ(a.recipients[i].due, b.recipients[i].due);
    EXPECT_EQ(a.recipients[i].delay_told, b.recipients[i].delay_told);
  }
}

TEST(Record, AllOfItComesBack) {
  const MessageRecord record = sample(7);
  const conf::Result<MessageRecord> back = decode_record(encode_record(record));
  ASSERT_TRUE(back.ok()) << back.error().detail;
  expect_same(record, back.value());
}

TEST(Record, OneWithoutAHeaderIsReadAsBefore) {
  MessageRecord record = sample(7);
  record.header = nullptr;
  record.recipients[1].delay_told = false;
  const std::string stored = encode_record(record);
  EXPECT_LT(stored.size() + 8 + 10 + 6 + 7, encode_record(sample(7)).size());
  const conf::Result<MessageRecord> back = decode_record(stored);
  ASSERT_TRUE(back.ok()) << back.error().detail;
  expect_same(record, back.value());
}

TEST(Record, OneWithoutAStreamIsWrittenAsBefore) {
  MessageRecord record = sample(7);
  record.stream.clear();
  const std::string stored = encode_record(record);
  // The name with its length, and the flag, which takes another octet.
  EXPECT_EQ(stored.size() + sizeof "newsletter" + 1, encode_record(sample(7)).size());
  const conf::Result<MessageRecord> back = decode_record(stored);
  ASSERT_TRUE(back.ok()) << back.error().detail;
  expect_same(record, back.value());
}

TEST(Record, EveryFlippedBitAndEveryCutIsNoticed) {
  const std::string good = encode_record(sample(7));
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(decode_record(bad).ok()) << "bit " << i;
  }
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(decode_record(good.substr(0, length)).ok());
}

TEST(Record, ABodyBelongsToItsMessage) {
  const BodyHeader header = body_header(7, "hello");
  const std::string stored = std::string(header.data(), header.size()) + "hello";
  EXPECT_EQ(decode_body(7, stored).value(), "hello");
  EXPECT_EQ(decode_body(8, stored).error().code, conf::ErrorCode::kCorrupt);
  EXPECT_EQ(decode_body(7, stored + "x").error().code, conf::ErrorCode::kCorrupt);
}

TEST(Record, AValueBelongsToItsKey) {
  const std::string stored = encode_value("key", "hello");
  EXPECT_EQ(decode_value("key", stored).value(), "hello");
  EXPECT_EQ(decode_value("kez", stored).error().code, conf::ErrorCode::kCorrupt);
  EXPECT_EQ(decode_value("key", stored + "x").error().code, conf::ErrorCode::kCorrupt);
  for (size_t length = 0; length < stored.size(); ++length)
    EXPECT_FALSE(decode_value("key", std::string_view(stored).substr(0, length)).ok());
}

TEST(Record, KeysSortLikeIds) {
  EXPECT_LT(id_key(255), id_key(256));
  EXPECT_LT(id_key(1ULL << 40), id_key(1ULL << 41));
  EXPECT_EQ(parse_id_key(id_key(77)), 77U);
  EXPECT_FALSE(parse_id_key("short").has_value());
}

enum class Which { kMemory, kDisk };

class SpoolTest : public SpoolOnDisk, public testing::WithParamInterface<Which> {
 protected:
  void SetUp() override { open(); }
  void open() {
    if (GetParam() == Which::kDisk) return SpoolOnDisk::open();
    if (spool_ == nullptr) spool_ = std::make_unique<MemorySpool>();
  }
  void wait(const std::function<bool()>& done) { spool::wait(spool_.get(), done); }
  conf::Result<conf::MessageId> store(const MessageRecord& record, const std::string& body) {
    return spool::store(spool_.get(), record, body);
  }
  conf::Result<LoadedMessage> load(conf::MessageId id, bool with_body = true) {
    return spool::load(spool_.get(), id, with_body);
  }
  // True when the answer was success.
  bool keep(Spool::KeptValues values) {
    std::optional<conf::Status> answer;
    spool_->keep_all(std::move(values), [&answer](conf::Status status) { answer = std::move(status); });
    wait([&answer] { return answer.has_value(); });
    return answer->ok();
  }
  std::map<std::string, std::string> kept() {
    std::map<std::string, std::string> all;
    EXPECT_TRUE(
        spool_
            ->kept([&all](std::string_view key, std::string_view value) { all[std::string(key)] = value; },
                   [](const std::string& key, const std::string&) { FAIL() << key; })
            .ok());
    return all;
  }
  std::map<conf::MessageId, MessageRecord> recovered() {
    std::map<conf::MessageId, MessageRecord> all;
    EXPECT_TRUE(spool_
                    ->recover([&all](MessageRecord record) { all[record.id] = std::move(record); },
                              [](const std::string&, const std::string&) { FAIL() << "nothing is corrupt"; })
                    .ok());
    return all;
  }
};

TEST_P(SpoolTest, KeptValuesAreThereAfterARestart) {
  EXPECT_TRUE(keep({{"quota/b", "2"}, {"quota/a", std::string("\0\xff", 2)}, {"block/x", "until noon"}}));
  EXPECT_TRUE(keep({{"quota/b", "3"}, {"block/x", ""}, {"never kept", ""}}));
  ASSERT_TRUE(store(sample(7), "body").ok());
  open();
  const std::map<std::string, std::string> expected = {{"quota/a", std::string("\0\xff", 2)},
                                                       {"quota/b", "3"}};
  EXPECT_EQ(kept(), expected);
  EXPECT_EQ(recovered().size(), 1U);  // not mixed up with messages
}

TEST_P(SpoolTest, TheLastOfSeveralKeepsCounts) {
  int answers = 0;
  const auto count = [&answers](const conf::Status& status) { answers += status.ok() ? 1 : 100; };
  for (int i = 0; i < 50; ++i) spool_->keep("n", std::to_string(i), count);
  spool_->keep("unanswered", "x", nullptr);
  spool_->keep("gone", "x", count);
  spool_->keep("gone", "", count);
  wait([&answers] { return answers >= 52; });
  EXPECT_EQ(answers, 52);
  EXPECT_EQ(spool_->counters().kept, 53U);
  EXPECT_LT(spool_->counters().batches, 53U);
  open();
  const std::map<std::string, std::string> expected = {{"n", "49"}, {"unanswered", "x"}};
  EXPECT_EQ(kept(), expected);
}

TEST_P(SpoolTest, WhatIsStoredIsThereAfterARestart) {
  ASSERT_EQ(store(sample(7), "hello").value(), 7U);
  ASSERT_TRUE(store(sample(8), "").ok());
  open();
  const auto all = recovered();
  ASSERT_EQ(all.size(), 2U);
  expect_same(all.at(7), sample(7));
  EXPECT_EQ(load(7).value().body.view(), "hello");
  EXPECT_TRUE(load(8).value().body.has_value());
  EXPECT_FALSE(load(7, false).value().body.has_value());
}

TEST_P(SpoolTest, TheOrderOfRequestsHolds) {
  ASSERT_TRUE(store(sample(7), "hello").ok());
  MessageRecord changed = sample(7);
  for (uint16_t i = 0; i < 100; ++i) {
    changed.recipients[0].attempts = i;
    spool_->update(changed);
    const conf::Result<LoadedMessage> loaded = load(7, false);
    ASSERT_TRUE(loaded.ok());
    ASSERT_EQ(loaded.value().record.recipients[0].attempts, i);
  }
  spool_->remove(7);
  EXPECT_EQ(load(7).error().code, conf::ErrorCode::kNotFound);
  spool_->flush();
  open();
  EXPECT_TRUE(recovered().empty());
}

// One message with a thousand recipients at a thousand domains: each delivery writes down its own recipient,
// not the whole message again.
TEST_P(SpoolTest, AMessageToAThousandDomainsIsWrittenOnce) {
  MessageRecord record = sample(7);
  const RecipientRecord one = record.recipients.front();
  record.recipients.clear();
  for (int i = 0; i < 1000; ++i) {
    record.recipients.push_back(one);
    record.recipients.back().recipient.mailbox =
        conf::Mailbox::parse("user@domain" + std::to_string(i) + ".test").value();
  }
  ASSERT_TRUE(store(record, std::string(2000, 'x')).ok());
  for (int attempt = 1; attempt <= 2; ++attempt) {
    for (const std::vector<uint32_t>& recipients : deliveries_of(record)) {
      for (const uint32_t i : recipients) record.recipients[i].attempts = static_cast<uint16_t>(attempt);
      spool_->update(record, recipients);
    }
  }
  spool_->hold(7, true);
  record.on_hold = true;
  spool_->flush();
  EXPECT_LT(spool_->counters().bytes_written, 1'500'000U);
  expect_same(load(7, false).value().record, record);
  open();
  expect_same(recovered().at(7), record);
  spool_->remove(7);
  ASSERT_TRUE(store(sample(7), "again").ok());  // nothing of the old one is left
  expect_same(load(7, false).value().record, sample(7));
}

TEST(SpoolRecord, AStateIsOfItsMessageAndPart) {
  MessageRecord record = sample(7);
  record.recipients[0].attempts = 9;
  const std::string key = state_key(7, 0);
  const std::vector<uint32_t> first = {0};
  const std::string state = encode_state(key, record, first);
  MessageRecord read = sample(7);
  ASSERT_TRUE(apply_state(key, state, &read).ok());
  EXPECT_EQ(read.recipients[0].attempts, 9);
  MessageRecord other = sample(8);
  EXPECT_FALSE(apply_state(key, state, &other).ok());
  EXPECT_FALSE(apply_state(state_key(7, 1), state, &read).ok());
  EXPECT_FALSE(apply_state(state_key(7, kHoldPart), state, &read).ok());
  for (size_t i = 0; i < state.size(); ++i) {
    std::string broken = state;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(apply_state(key, broken, &read).ok()) << i;
    EXPECT_FALSE(apply_state(key, state.substr(0, i), &read).ok()) << i;
  }
  record.recipients.resize(1);
  MessageRecord fewer = record;
  const std::vector<uint32_t> second = {1};
  EXPECT_FALSE(apply_state(key, encode_state(key, sample(7), second), &fewer).ok());
}

TEST_P(SpoolTest, IdsRise) {
  const conf::MessageId first = spool_->next_id(conf::from_unix_micros(1'790'000'000'000'000));
  const conf::MessageId second =
      spool_->next_id(conf::from_unix_micros(1'000'000'000'000'000));  // the clock went back
  EXPECT_GT(second, first);
  ASSERT_TRUE(store(sample(second), "x").ok());
  open();
  recovered();
  EXPECT_GT(spool_->next_id(conf::from_unix_micros(1'000'000'000'000'000)), second);
}

TEST_P(SpoolTest, ScanSeesWhatIsThereAndStopsWhenTold) {
  for (conf::MessageId id = 1; id <= 5; ++id) ASSERT_TRUE(store(sample(id), "x").ok());
  std::vector<conf::MessageId> seen;
  EXPECT_TRUE(spool_
                  ->scan([&seen](const MessageRecord& record) {
                    seen.push_back(record.id);
                    return seen.size() < 3;
                  })
                  .ok());
  EXPECT_EQ(seen, (std::vector<conf::MessageId>{1, 2, 3}));
}

// What happens when a message with many recipients is stored takes its time for each of them.
TEST_P(SpoolTest, AnswersAboutManyRecipientsComeInParts) {
  int stored = 0;
  MessageRecord record = sample(1);
  record.recipients.resize(400, record.recipients.front());
  for (record.id = 1; record.id <= 7; ++record.id)
    spool_->store(record, conf::Bytes("x"), [&stored](const conf::Result<Receipt>&) { ++stored; });
  spool_->flush();
  const size_t most = Spool::kDrained / 400;
  for (int before = 0; before < 7; before = stored) {
    const size_t count = spool_->drain_completions();
    EXPECT_EQ(count, std::min<size_t>(most, 7 - static_cast<size_t>(before)));
    ASSERT_GT(stored, before);
  }
  EXPECT_EQ(spool_->drain_completions(), 0U);
}

TEST_P(SpoolTest, ManyAtOnceShareSyncs) {
  int stored = 0;
  for (conf::MessageId id = 1; id <= 500; ++id) {
    spool_->store(sample(id), conf::Bytes(std::string(2000, 'x')),
                  [&stored](const conf::Result<Receipt>& result) {
                    EXPECT_TRUE(result.ok());
                    ++stored;
                  });
  }
  wait([&stored] { return stored == 500; });
  EXPECT_LT(spool_->counters().syncs, 500U);
  EXPECT_EQ(spool_->counters().stored, 500U);
}

INSTANTIATE_TEST_SUITE_P(Both, SpoolTest, testing::Values(Which::kMemory, Which::kDisk),
                         [](const auto& each) { return each.param == Which::kMemory ? "Memory" : "Disk"; });

class DiskSpoolTest : public SpoolTest {};

TEST_P(DiskSpoolTest, TwoProcessesCannotHaveIt) {
  const auto second = RocksSpool::open(settings());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, conf::ErrorCode::kRefused) << second.error().detail;
}

TEST_P(DiskSpoolTest, BelowTheReserveNothingIsTaken) {
  spool_.reset();
  conf::SpoolSettings much = settings();
  much.reserve_bytes = 1ULL << 60;
  auto opened = RocksSpool::open(much);
  ASSERT_TRUE(opened.ok());
  spool_ = std::move(*opened);
  EXPECT_FALSE(spool_->health().accepting);
  EXPECT_NE(spool_->health().why.find("disk space is low"), std::string::npos);
  EXPECT_EQ(store(sample(7), "x").error().code, conf::ErrorCode::kNoSpace);
}

INSTANTIATE_TEST_SUITE_P(Only, DiskSpoolTest, testing::Values(Which::kDisk),
                         [](const auto&) { return "Disk"; });

TEST(MemorySpool, ACrashForgetsWhatWasNotSynced) {
  MemorySpool spool;
  bool answered = false;
  spool.store(sample(1), conf::Bytes("a"), [](const conf::Result<Receipt>&) {});
  spool.run_batch();
  spool.store(sample(2), conf::Bytes("b"), [&answered](const conf::Result<Receipt>&) { answered = true; });
  spool.crash();
  spool.run_batch();
  spool.drain_completions();
  EXPECT_FALSE(answered);
  EXPECT_EQ(spool.message_count(), 1U);
}

TEST(MemorySpool, ACrashForgetsKeptValuesThatWereNotSynced) {
  MemorySpool spool;
  std::vector<std::string> answers;
  const auto note = [&answers](const char* what) {
    return [&answers, what](const conf::Status& status) {
      answers.push_back(std::string(what) + (status.ok() ? " kept" : " refused"));
    };
  };
  spool.keep_all({{"a", "1"}, {"b", "1"}}, note("first"));
  spool.run_batch();
  spool.drain_completions();
  spool.keep_all({{"a", "2"}, {"b", ""}, {"c", "2"}}, note("second"));
  spool.crash();
  spool.run_batch();
  spool.fail_writes(conf::Error{conf::ErrorCode::kNoSpace, "full"});
  spool.keep("a", "3", note("third"));
  spool.run_batch();
  spool.fail_writes(std::nullopt);
  spool.run_batch();
  spool.drain_completions();
  EXPECT_EQ(answers, (std::vector<std::string>{"first kept", "third refused"}));
  EXPECT_TRUE(spool.corrupt_value("b"));
  EXPECT_FALSE(spool.corrupt_value("c"));
  std::map<std::string, std::string> good;
  std::map<std::string, std::string> bad;
  ASSERT_TRUE(spool
                  .kept([&](std::string_view key, std::string_view value) { good[std::string(key)] = value; },
                        [&](const std::string& key, const std::string& why) { bad[key] = why; })
                  .ok());
  EXPECT_EQ(good, (std::map<std::string, std::string>{{"a", "1"}}));
  EXPECT_EQ(bad, (std::map<std::string, std::string>{{"b", "value fails its checksum"}}));
}

TEST(MemorySpool, CorruptMessagesAreSetAside) {
  MemorySpool spool;
  for (conf::MessageId id = 1; id <= 3; ++id)
    spool.store(sample(id), conf::Bytes("a"), [](const conf::Result<Receipt>&) {});
  spool.run_batch();
  ASSERT_TRUE(spool.corrupt_record(2));
  std::vector<conf::MessageId> good;
  std::vector<std::string> bad;
  EXPECT_TRUE(spool
                  .recover([&good](const MessageRecord& record) { good.push_back(record.id); },
                           [&bad](const std::string& key, const std::string&) { bad.push_back(key); })
                  .ok());
  EXPECT_EQ(good, (std::vector<conf::MessageId>{1, 3}));
  EXPECT_EQ(bad, std::vector<std::string>{conf::to_text(2)});
}

}  // namespace
}  // namespace relay::spool
