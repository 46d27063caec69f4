// Reports as people and spreadsheets read them, and the times that they are asked for.
#include "relay/cli/report_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "relay/cli/time_words.h"

namespace relay::cli {
namespace {

bounce::Report report() {
  bounce::Report made;
  bounce::ReportLine line;
  line.name = "=cmd|\x1b[2J";  // as a hostile server may call itself
  line.delivered = 3;
  line.failed = 2;
  made.lines.push_back(line);
  line.name = "";
  made.total = line;
  made.texts.push_back({0, "550 5.1.1 * unknown", 2});
  return made;
}

TEST(ReportText, ATableIsHarmlessForATerminal) {
  const std::string table = report_table(report(), "site");
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_NE(table.find("total "), std::string::npos);
  EXPECT_NE(table.find("2  550 5.1.1 * unknown"), std::string::npos);
}

TEST(ReportText, ATableFitsTheScreen) {
  bounce::Report made = report();
  made.lines[0].name.assign(88, 'm');
  made.lines[0].delivered = made.total.delivered = 123'456'789'012;
  for (int i = 0; i < 30; ++i) made.texts[0].text += " unwanted";
  std::istringstream lines(report_table(made, "site"));
  std::string each, head;
  std::getline(lines, head);
  EXPECT_LE(head.size(), 100U);
  std::getline(lines, each);
  EXPECT_EQ(each.size(), head.size()) << each;
  EXPECT_NE(each.find("mmm...  123456789012"), std::string::npos) << each;
  while (std::getline(lines, each)) EXPECT_LE(each.size(), 100U) << each;
}

TEST(ReportText, CsvRunsNothingInASpreadsheet) {
  const std::string csv = report_csv(report(), "site");
  EXPECT_EQ(csv.substr(0, csv.find("\r\n")),
            "site,delivered,deferred,failed,expired,quarantined,complaints,dropped");
  EXPECT_NE(csv.find("'=cmd|"), std::string::npos) << csv;
  EXPECT_NE(csv.find("total,3,0,2,0,0,0,0\r\n"), std::string::npos) << csv;
}

TEST(ReportText, JsonHasLinesTotalAndTexts) {
  const nlohmann::json told = report_as_json(report(), "site");
  EXPECT_EQ(told["lines"][0]["delivered"], 3);
  EXPECT_EQ(told["total"]["failed"], 2);
  EXPECT_EQ(told["texts"][0]["count"], 2);
}

TEST(ReportText, SaysWhatTheLimitLeavesOut) {
  bounce::Report made = report();
  EXPECT_EQ(report_table(made, "site").find("more lines"), std::string::npos);
  made.others = 12;
  made.other.failed = 40;
  EXPECT_NE(report_table(made, "site").find("(12 more lines)"), std::string::npos);
  EXPECT_NE(report_csv(made, "site").find("(12 more lines),0,0,40,0,0,0,0\r\ntotal,"), std::string::npos);
  const nlohmann::json told = report_as_json(made, "site");
  EXPECT_EQ(told["other_lines"], 12);
  EXPECT_EQ(told["other"]["failed"], 40);
}

TEST(TimeWords, AnAgeOrADateInUtc) {
  const conf::WallTime now = conf::from_unix_micros(1'800'000'000'000'000);
  EXPECT_EQ(parse_moment("36h", now, {}).value(), now - conf::Duration(std::chrono::hours(36)));
  EXPECT_EQ(parse_moment("", now, now).value(), now);
  for (const char* text : {"2026-11-26 02:11:05", "2026-11-26T02:11:05Z"})
    EXPECT_EQ(moment_text(parse_moment(text, now, {}).value()), "2026-11-26 02:11:05") << text;
  EXPECT_EQ(moment_text(parse_moment("2026-11-26", now, {}).value()), "2026-11-26 00:00:00");
  for (const char* text : {"yesterday", "2026-13-01", "2026-11-26 25:00", "2026-11-26 02:11 x"})
    EXPECT_FALSE(parse_moment(text, now, {}).ok()) << text;
  EXPECT_EQ(moment_text({}), "-");
}

}  // namespace
}  // namespace relay::cli
