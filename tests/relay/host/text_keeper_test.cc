// The texts of refusals on their way into the file of the table.
#include "relay/host/text_keeper.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

#include "bounce/text_template.h"
#include "relay/host/text_table_file.h"
#include "tests/temporary_folder.h"

namespace relay {
namespace {

class File {
 public:
  explicit File(const std::string& name) : path_((folder_ / name).string()) {}
  const std::string& path() const { return path_; }
  bounce::QualificationTable read() const {
    bounce::QualificationTable table;
    EXPECT_TRUE(read_text_table(path_, &table).ok());
    return table;
  }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

uint64_t row_of(const std::string& reply) {
  return bounce::row_key(bounce::text_template(bounce::Reply::make(550, reply)));
}

conf::DeliveryEvent refusal(const std::string& reply, const std::string& site) {
  conf::DeliveryEvent event;
  event.kind = conf::EventKind::kDeferred;
  event.reply_code = 550;
  event.reply = reply;
  event.row = row_of(reply);
  event.site = site;
  event.recipient = "u@d.example";
  event.stage = conf::Stage::kRcpt;
  event.time = conf::from_unix_micros(1'790'000'000'000'000);
  return event;
}

void nothing(const std::string& /*line*/) {}

// The row of the event is the row of the table, also when the reply says a recipient without the domain.
TEST(TextKeeper, ANameWithoutItsDomainMakesNoRowOfItsOwn) {
  const File file("bare");
  TextKeeper keeper(file.path(), bounce::Qualifier::shipped(), nothing);
  uint64_t number = 0;
  for (const std::string name : {"kim", "anna", "zoltan"}) {
    conf::DeliveryEvent event = refusal(name + ": no such user", "mx.one");
    event.recipient = name + "@d.example";
    event.row = row_of("*: no such user");
    keeper.take(++number, event);
  }
  keeper.flush();
  const bounce::QualificationTable table = file.read();
  ASSERT_EQ(table.rows().size(), 1U);
  EXPECT_EQ(table.rows()[0]->key, row_of("*: no such user"));
  EXPECT_EQ(table.rows()[0]->occurrences, 3U);
}

TEST(TextKeeper, CountsTextsAndNewOnesAreToQualify) {
  const File file("count");
  TextKeeper keeper(file.path(), bounce::Qualifier::shipped(), nothing);
  uint64_t number = 0;
  for (int i = 0; i < 5; ++i)
    keeper.take(++number, refusal("5.1.1 <u" + std::to_string(i) + "@x.example>: user unknown", "mx.one"));
  keeper.take(++number, refusal("qwertz asdf", "mx.two"));
  conf::DeliveryEvent delivered;
  delivered.kind = conf::EventKind::kDelivered;
  keeper.take(++number, delivered);
  keeper.flush();
  const bounce::QualificationTable table = file.read();
  ASSERT_EQ(table.rows().size(), 2U);
  const bounce::Row* known = table.find(row_of("5.1.1 <a@x.example>: user unknown"));
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->occurrences, 5U);
  EXPECT_EQ(known->status, bounce::RowStatus::kKeep);
  EXPECT_EQ(known->reason, bounce::Reason::kUserUnknown);
  ASSERT_EQ(known->sites.size(), 1U);
  EXPECT_EQ(known->sites[0], std::pair(std::string("mx.one"), 5U));
  const bounce::Row* fresh = table.find(row_of("qwertz asdf"));
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(fresh->status, bounce::RowStatus::kToQualify);
  EXPECT_EQ(keeper.through(), number);
}

TEST(TextKeeper, WritesWhatIsLeftWhenItEnds) {
  const File file("end");
  {
    TextKeeper keeper(file.path(), bounce::Qualifier::shipped(), nothing);
    keeper.take(1, refusal("qwertz asdf", "mx.two"));
  }
  EXPECT_EQ(file.read().rows().size(), 1U);
}

// What an operator decides between two writes stays decided.
TEST(TextKeeper, ADecisionOutlivesTheCounting) {
  const File file("decided");
  TextKeeper keeper(file.path(), bounce::Qualifier::shipped(), nothing);
  keeper.take(1, refusal("qwertz asdf", "mx.two"));
  keeper.flush();
  const uint64_t key = row_of("qwertz asdf");
  ASSERT_TRUE(change_text_table(file.path(), [&](bounce::QualificationTable* table) {
                table->decide(key,
                              {key, bounce::Reason::kRefused, conf::ErrorType::kSoft, conf::Scope::kSite},
                              bounce::RowStatus::kKeep);
              }).ok());
  keeper.take(2, refusal("qwertz asdf", "mx.two"));
  keeper.flush();
  const bounce::QualificationTable table = file.read();
  const bounce::Row* row = table.find(key);
  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(row->decided);
  EXPECT_EQ(row->reason, bounce::Reason::kRefused);
  EXPECT_EQ(row->occurrences, 2U);
}

TEST(TextKeeper, NoChangeOfTwoIsLost) {
  const File file("two");
  const auto count = [&file](const std::string& text) {
    for (int i = 0; i < 50; ++i) {
      const conf::Status status = change_text_table(file.path(), [&](bounce::QualificationTable* table) {
        table->note("550 " + text, bounce::Reply::make(550, text), "mx", {}, {});
      });
      ASSERT_TRUE(status.ok()) << status.error().detail;
    }
  };
  std::thread other(count, "one text");
  count("another text");
  other.join();
  const bounce::QualificationTable table = file.read();
  EXPECT_EQ(table.find(row_of("one text"))->occurrences, 50U);
  EXPECT_EQ(table.find(row_of("another text"))->occurrences, 50U);
}

TEST(TextKeeper, ADamagedFileIsToldOnceAndKept) {
  const File file("damaged");
  std::ofstream(file.path()) << "no table\n";
  int told = 0;
  {
    TextKeeper keeper(file.path(), bounce::Qualifier::shipped(), [&](const std::string&) { ++told; });
    keeper.take(1, refusal("qwertz asdf", "mx.two"));
    keeper.flush();
    keeper.take(2, refusal("qwertz asdf", "mx.two"));
    keeper.flush();
  }
  EXPECT_EQ(told, 1);
  std::string text;
  std::getline(std::ifstream(file.path()), text);
  EXPECT_EQ(text, "no table");
}

}  // namespace
}  // namespace relay
