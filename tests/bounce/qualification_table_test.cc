#include "bounce/qualification_table.h"

#include <gtest/gtest.h>

#include <string>

#include "bounce/diagnostic.h"
#include "bounce/text_template.h"

namespace bounce {
namespace {

using std::chrono::seconds;

conf::WallTime at(int64_t second) { return conf::WallTime(seconds(second)); }

class TableTest : public testing::Test {
 protected:
  const Row& note(const std::string& text, const std::string& site = "mx.some.example",
                  int64_t second = 1000) {
    const Reply reply = read_diagnostic(text);
    Occasion occasion;
    occasion.reply = &reply;
    return table_.note(text, reply, site, qualifier_->qualify(occasion), at(second));
  }
  QualificationTable table_;
  std::shared_ptr<const Qualifier> qualifier_ = Qualifier::shipped();
};

TEST_F(TableTest, OneFailureIsOneRowWithItsFirstText) {
  note("550 5.1.1 <a@some.example>: User unknown", "mx.some.example", 10);
  const Row& row = note("550 5.1.1 <b@other.example>: User unknown", "mx.other.example", 20);
  EXPECT_EQ(table_.rows().size(), 1U);
  EXPECT_EQ(row.occurrences, 2U);
  EXPECT_EQ(row.first_text, "550 5.1.1 <a@some.example>: User unknown");
  EXPECT_EQ(row.text, "550 5.1.1 <*>: User unknown");
  EXPECT_EQ(row.status, RowStatus::kKeep);
  EXPECT_EQ(row.type, ErrorType::kHard);
  EXPECT_EQ(row.first_seen, at(10));
  EXPECT_EQ(row.last_seen, at(20));
  EXPECT_EQ(row.sites.size(), 2U);
}

TEST_F(TableTest, AnUnknownTextIsToBeQualified) {
  const Row& row = note("550 Klaatu barada nikto");
  EXPECT_EQ(row.status, RowStatus::kToQualify);
  EXPECT_EQ(row.reason, Reason::kNotDefined);
  EXPECT_EQ(row.type, ErrorType::kNotDefined);
}

TEST_F(TableTest, ADecisionOutranksTheRulesAndIgnoreCountsAgainstNobody) {
  const uint64_t key = note("550 5.1.1 User unknown").key;
  ASSERT_TRUE(table_.decide(key, {key, Reason::kUnreachable, ErrorType::kHard, Scope::kRecipient},
                            RowStatus::kIgnore));
  const std::shared_ptr<const Qualifier> decided =
      Qualifier::make({}, shipped_reply_rules(), table_.verdicts());
  const Reply reply = read_diagnostic("550 5.1.1 User unknown");
  const Qualification meaning = decided->qualify({Stage::kRcpt, &reply});
  EXPECT_EQ(meaning.rule, "row");
  EXPECT_EQ(meaning.row, key);
  EXPECT_EQ(meaning.type, ErrorType::kIgnored);
  EXPECT_EQ(meaning.reason, Reason::kUnreachable);
  note("550 5.1.1 User unknown");
  EXPECT_EQ(table_.find(key)->status, RowStatus::kIgnore) << "what was noted later changed the decision";
  EXPECT_TRUE(table_.undecide(key));
  EXPECT_TRUE(table_.verdicts().empty());
}

TEST_F(TableTest, TheCountStopsAndCanBeReset) {
  Row row = note("550 no");
  row.occurrences = QualificationTable::kMostOccurrences;
  table_.put(row);
  EXPECT_EQ(note("550 no").occurrences, QualificationTable::kMostOccurrences);
  EXPECT_TRUE(table_.reset(row.key));
  EXPECT_EQ(table_.find(row.key)->occurrences, 0U);
  EXPECT_FALSE(table_.reset(1));
}

TEST_F(TableTest, IsFoundByKeyBeginningAndText) {
  const Row& row = note("550 5.1.1 <a@some.example>: User unknown");
  const std::string key = row_text(row.key);
  EXPECT_EQ(table_.find(key), &row);
  EXPECT_EQ(table_.find(key.substr(0, 6)), &row);
  EXPECT_EQ(table_.find("550 5.1.1 <*>: User unknown"), &row);
  EXPECT_EQ(table_.find("550 5.1.1 <z@some.example>: User unknown"), &row);
  EXPECT_EQ(table_.find("zz"), nullptr);
}

TEST_F(TableTest, AFullTableForgetsWhatNobodyDecided) {
  table_ = QualificationTable(2);
  const uint64_t decided = note("550 first", "", 1).key;
  table_.decide(decided, {decided, Reason::kRefused, ErrorType::kSoft, Scope::kSite}, RowStatus::kKeep);
  const uint64_t oldest = note("550 second", "", 2).key;
  note("550 third", "", 3);
  EXPECT_NE(table_.find(decided), nullptr);
  EXPECT_EQ(table_.find(oldest), nullptr);
  EXPECT_EQ(table_.rows().size(), 2U);
}

TEST_F(TableTest, OnlyTheCommonestSitesAreKept) {
  for (int i = 0; i < 20; ++i) note("550 no", "mx" + std::to_string(i) + ".example");
  for (int i = 0; i < 50; ++i) note("550 no", "mx.common.example");
  const Row& row = *table_.rows().front();
  EXPECT_EQ(row.sites.size(), QualificationTable::kSites);
  EXPECT_EQ(row.sites.front().first, "mx.common.example");
}

TEST_F(TableTest, SaysWhatAChangeOfRulesWouldRelabel) {
  note("550 Klaatu barada nikto");
  note("550 5.1.1 User unknown");
  EXPECT_TRUE(table_.changes(*qualifier_).empty());
  std::vector<conf::Problem> problems;
  const std::shared_ptr<const Qualifier> changed = Qualifier::make(
      parse_reply_rules("[[reply]]\nname = \"robot\"\ntext = [\"klaatu\"]\nreason = \"refused\"\ntype = "
                        "\"soft\"\nscope = \"site\"\n",
                        "test.toml", &problems),
      shipped_reply_rules());
  ASSERT_EQ(table_.changes(*changed).size(), 1U);
  EXPECT_EQ(table_.changes(*changed)[0].second.rule, "robot");
  table_.relabel(*changed);
  EXPECT_TRUE(table_.changes(*changed).empty());
  EXPECT_EQ(table_.find("550 Klaatu barada nikto")->status, RowStatus::kKeep);
}

TEST_F(TableTest, TheFileIsReadAsItWasWritten) {
  note("550 5.1.1 <a@some.example>: User unknown");
  note("550 tab\there \\ and\nline");
  const uint64_t key = note("550 Klaatu").key;
  table_.decide(key, {key, Reason::kRefused, ErrorType::kSoft, Scope::kSender}, RowStatus::kKeep);
  QualificationTable copy;
  EXPECT_FALSE(copy.read(table_.write()).has_value());
  EXPECT_EQ(copy.write(), table_.write());
}

// Templates have changed since: no decision is lost.
TEST_F(TableTest, RowsOfAnEarlierVersionKeepWhatWasDecided) {
  std::string file =
      "row\tstatus\treason\ttype\tscope\toccurrences\tfirst_seen\tlast_"
      "seen\tdecided\trule\tsites\ttext\tfirst_text\n";
  const auto old = [&file](const std::string& text, const std::string& first_text, bool decided, int count) {
    file +=
        row_text(row_key(text)) +
        (decided ? "\tkeep\tRefused\tsoft\tsender\t" : "\tto-qualify\tNot defined\tnot-defined\tmessage\t") +
        std::to_string(count) + "\t100\t" + std::to_string(100 + count) + (decided ? "\tyes" : "\tno") +
        "\toperator\t\t" + text + '\t' + first_text + '\n';
  };
  old("550 5.7.1 Klaatu 5.7.1 barada", "550-5.7.1 Klaatu 550 5.7.1 barada", true, 3);
  old("550 5.7.1 Klaatu barada", "550 5.7.1 Klaatu barada", false, 9);
  old("550 nikto, see #URL#", "550 nikto, see https://some.example/?p=Gort", true, 2);
  old("550 " + std::string(600, 'x') + " 5.7.1 5.7.1", "550 " + std::string(496, 'x'), true, 1);
  const std::optional<std::string> problem = table_.read(file);
  ASSERT_FALSE(problem.has_value()) << *problem;
  EXPECT_EQ(table_.rows().size(), 3U);
  const Row* joined = table_.find("550-5.7.1 Klaatu 550 5.7.1 barada");
  ASSERT_NE(joined, nullptr);
  EXPECT_TRUE(joined->decided);
  EXPECT_EQ(joined->occurrences, 12U);
  EXPECT_EQ(joined->last_seen, conf::from_unix_micros(109'000'000));
  const Row* page = table_.find("550 nikto, see https://some.example/?p=Gort");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->reason, Reason::kRefused);
  EXPECT_EQ(table_.verdicts().size(), 3U);
  QualificationTable again;
  EXPECT_FALSE(again.read(table_.write()).has_value());
  EXPECT_EQ(again.write(), table_.write());
}

// The name of a site has all its hosts, parted by commas.
TEST_F(TableTest, SitesOfSeveralHostsAreReadAsTheyWereWritten) {
  for (int i = 0; i < 3; ++i) note("550 no", "mx1.x.example,mx2.x.example");
  note("550 no", "mx.y.example");
  QualificationTable copy;
  const std::optional<std::string> problem = copy.read(table_.write());
  ASSERT_FALSE(problem.has_value()) << *problem;
  const std::vector<std::pair<std::string, uint32_t>> sites = {{"mx1.x.example,mx2.x.example", 3},
                                                               {"mx.y.example", 1}};
  EXPECT_EQ(copy.rows().front()->sites, sites);
}

TEST_F(TableTest, AWrongFileAddsNothingAndSaysWhere) {
  note("550 one");
  const std::string good = table_.write();
  QualificationTable copy;
  const auto problem = [&](const std::string& text) { return copy.read(text).value_or("none"); };
  EXPECT_EQ(problem(good + "x\n"), "line 3: has not 13 fields parted by tabs");
  std::string forged = good;
  forged.replace(forged.rfind("550 one"), 7, "550 two");
  forged.replace(forged.find("550 one"), 7, "550 two");
  EXPECT_EQ(problem(forged), "line 2: row is not the key of its text");
  std::string angry = good;
  angry.replace(angry.find("not-defined"), 11, "angry");
  EXPECT_EQ(problem(angry), "line 2: \"angry\" is no reason");
  EXPECT_TRUE(copy.rows().empty());
}

TEST(UnreadTexts, AreTreatedAsTheOperatorSays) {
  const Reply reply = read_diagnostic("550 Klaatu barada nikto");
  const Occasion occasion{Stage::kRcpt, &reply};
  EXPECT_EQ(Qualifier::make({}, {})->qualify(occasion).type, ErrorType::kSoft);
  const Qualification cautious = Qualifier::make({}, {}, {}, {ErrorType::kIgnored, false})->qualify(occasion);
  EXPECT_EQ(cautious.type, ErrorType::kIgnored);
  EXPECT_FALSE(ends_at_once(cautious));
  EXPECT_TRUE(ends_at_once(Qualifier::make({}, {}, {}, {ErrorType::kSoft, true})->qualify(occasion)));
}

// The row does not say at which command its text was met.
TEST_F(TableTest, ARefusalThatNoRuleReadsIsNoChangeWhereverItWasMet) {
  for (const Stage stage : {Stage::kRcpt, Stage::kDot, Stage::kMail, Stage::kGreeting}) {
    const std::string text = std::string("550 Klaatu barada ") + to_text(stage);
    const Reply reply = read_diagnostic(text);
    table_.note(text, reply, "mx.some.example", qualifier_->qualify({stage, &reply}), at(1));
  }
  EXPECT_TRUE(table_.changes(*qualifier_).empty());
}

TEST_F(TableTest, ADeedIsTakenBackAndItsCountsStay) {
  const uint64_t decided = note("550 Klaatu barada nikto").key;
  const QualificationTable before = table_;
  note("550 Klaatu barada nikto");
  ASSERT_TRUE(
      table_.decide(decided, {decided, Reason::kRefused, ErrorType::kSoft, Scope::kSite}, RowStatus::kKeep));
  table_.take_back(before);
  const Row* row = table_.find(decided);
  ASSERT_NE(row, nullptr);
  EXPECT_FALSE(row->decided);
  EXPECT_EQ(row->status, RowStatus::kToQualify);
  EXPECT_EQ(row->reason, Reason::kNotDefined);
  EXPECT_EQ(row->occurrences, 2U);
}

}  // namespace
}  // namespace bounce
