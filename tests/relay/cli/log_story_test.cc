#include "relay/cli/log_story.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "relay/cli/log_files.h"
#include "tests/relay/cli/command_rig.h"
#include "tests/temporary_folder.h"

namespace relay::cli {
namespace {

using nlohmann::json;

json event(const char* kind, const char* id, const char* recipient) {
  return {{"time", "2026-11-24T09:53:44.123456Z"},
          {"event", kind},
          {"id", id},
          {"recipient", recipient},
          {"reverse_path", "News@shop.example"}};
}

TEST(LogStory, FindsByIdByAddressAndByDomain) {
  const json one = event("deferred", "1m8a18szv0000", "User@Example.net");
  for (const char* what : {"1m8a18szv0000", "user@example.net", "<user@example.net>", "example.net",
                           "news@shop.example", "shop.example"}) {
    EXPECT_EQ(LogSearch(what).id_of(one), "1m8a18szv0000") << what;
    EXPECT_TRUE(LogSearch(what).may_match(one.dump())) << what;
  }
  json named = one;
  named["message_id"] = "1.A@mail.shop.example";
  for (const char* what : {"1.a@mail.shop.example", "<1.A@mail.shop.example>"})
    EXPECT_EQ(LogSearch(what).id_of(named), "1m8a18szv0000") << what;
  EXPECT_TRUE(LogSearch("").id_of(one).empty());
  for (const char* what : {"1m8a18szv0001", "ser@example.net", "xample.net", "other.example"})
    EXPECT_TRUE(LogSearch(what).id_of(one).empty()) << what;
  EXPECT_TRUE(LogSearch("example.net").id_of({{"event", "decision"}, {"site", "example.net"}}).empty());
}

// What has no message is found by whom it is about, and told in words.
TEST(LogStory, FindsWhatIsOfNoMessage) {
  const json suppressed = {{"event", "suppressed"}, {"recipient", "Bad@good.test"}, {"list", "denylist"}};
  const json trouble = {{"event", "trouble"}, {"mx_host", "mx.dead.test"}, {"mx_address", "192.0.2.1:25"}};
  const json decision = {{"event", "decision"},
                         {"site", "mx2.dead.test,mx.dead.test"},
                         {"action", "block"},
                         {"text", "290 of 312"}};
  const json refused = {{"event", "refused_client"},
                        {"client", "203.0.113.9"},
                        {"listener", "in"},
                        {"reason", "wrong_password"},
                        {"user", "shop"},
                        {"of_user", 2},
                        {"count", 3}};
  const auto meant = [](const char* what, const json& one) {
    return LogSearch(what).may_match(one.dump()) && LogSearch(what).is_meant_without_message(one);
  };
  EXPECT_TRUE(meant("bad@good.test", suppressed));
  EXPECT_TRUE(meant("good.test", suppressed));
  EXPECT_TRUE(meant("mx.dead.test", trouble));
  EXPECT_TRUE(meant("dead.test", trouble));
  EXPECT_TRUE(meant("192.0.2.1", trouble));
  EXPECT_TRUE(meant("mx.dead.test", decision));
  EXPECT_TRUE(meant("203.0.113.9", refused));
  EXPECT_FALSE(meant("x.dead.test", trouble));
  EXPECT_FALSE(meant("192.0.2.1", refused));
  EXPECT_FALSE(meant("3.0.113.9", refused));
  EXPECT_FALSE(meant("", refused));
  EXPECT_FALSE(meant("user@example.net", event("suppressed", "1m8a18szv0000", "user@example.net")))
      << "it is in the story of its message";
  const json order = {{"event", "decision"}, {"action", "block"}, {"stream", "n*"}, {"by", "operator anna"}};
  const std::string text = events_text({decision, refused, suppressed, order});
  EXPECT_NE(text.find("decision block of stream n* by operator anna\n"), std::string::npos) << text;
  EXPECT_NE(text.find("decision block of mx2.dead.test,mx.dead.test: 290 of 312\n"), std::string::npos)
      << text;
  EXPECT_NE(
      text.find(
          "refused_client 203.0.113.9 at in: wrong_password, user shop (2 of them at least), 3 times\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("suppressed <Bad@good.test>, list denylist\n"), std::string::npos) << text;
}

TEST(LogStory, FindsTheOrdersThatNameAMessage) {
  json order = {{"time", "2026-11-24T09:53:44.123456Z"},
                {"event", "queue_order"},
                {"action", "hold"},
                {"by", "operator anna"},
                {"messages", 2},
                {"what", "1m8a18szv0000, 1m8a18szv0001"}};
  const auto meant = [&order](const char* what) {
    return LogSearch(what).may_match(order.dump()) && LogSearch(what).is_meant_without_message(order);
  };
  EXPECT_TRUE(meant("1m8a18szv0000"));
  EXPECT_TRUE(meant("1m8a18szv0001"));
  EXPECT_FALSE(meant("1m8a18szv0002"));
  order["what"] = "up to 1m8a18szv0000";
  EXPECT_FALSE(meant("1m8a18szv0000"));
  EXPECT_EQ(events_text({order}),
            "  2026-11-24 09:53:44  queue_order hold of 2 messages by operator anna: "
            "up to 1m8a18szv0000\n");
  order["not_done"] = 1;
  order["detail"] = "the relay is stopping";
  EXPECT_EQ(events_text({order}),
            "  2026-11-24 09:53:44  queue_order hold of 2 messages by operator anna: "
            "up to 1m8a18szv0000; not\n    done for 1 message: the relay is stopping\n");
}

TEST(LogStory, SeesTheIdOfALine) {
  EXPECT_EQ(id_in(R"({"event":"deferred","id":"1m8a18szv0000","reply":"\"id\":\"x\""})"), "1m8a18szv0000");
  EXPECT_EQ(id_in(R"({"event":"log_gap","lost":3})"), "");
}

TEST(LogStory, TheReportAboutAMessageIsPartOfIt) {
  json report = event("report_sent", "1m8a18szv0009", "news@shop.example");
  report["related"] = "1m8a18szv0000";
  EXPECT_EQ(LogSearch("1m8a18szv0000").id_of(report), "1m8a18szv0009");
}

TEST(LogStory, TellsWhatHappenedInOrder) {
  json deferred = event("deferred", "1m8a18szv0000", "user@example.net");
  deferred["reply_code"] = 450;
  deferred["enhanced_status"] = "4.2.0";
  deferred["reply"] = "4.2.0 Greylisted";
  deferred["source"] = "tx";
  deferred["next_attempt"] = "2026-11-24T09:58:45.000000Z";
  const std::string text =
      story_text("1m8a18szv0000", {event("accepted", "1m8a18szv0000", "user@example.net"), deferred});
  EXPECT_NE(text.find("2026-11-24 09:53:44  accepted from <News@shop.example>"), std::string::npos) << text;
  EXPECT_NE(text.find("deferred <user@example.net> from tx: 450 4.2.0 Greylisted; again at"),
            std::string::npos)
      << text;
}

TEST(LogStory, WhatAReplyRuleHoldsHasNoNextAttempt) {
  json held = event("deferred", "1m8a18szv0000", "user@example.net");
  held["reply_code"] = 451;
  held["reply"] = "ask us";
  held["class_rule"] = "by hand";
  const std::string text = story_text("1m8a18szv0000", {held});
  EXPECT_NE(text.find(": 451 ask us; on hold by reply rule by hand"), std::string::npos) << text;
}

TEST(LogStory, ReadsRotatedAndPackedFilesTheOldestFirst) {
  const TemporaryFolder own;
  const std::filesystem::path folder = own / "log story's";
  std::filesystem::create_directories(folder);
  const std::filesystem::path log = folder / "delivery.jsonl";
  const auto now = std::filesystem::file_time_type::clock::now();
  int hours = 0;
  for (const char* end : {"", ".1", "-20261125", ".3"}) {
    const std::string file = log.string() + end;
    std::ofstream(file) << "line of " << hours << "\n";
    std::filesystem::last_write_time(file, now - std::chrono::hours(hours++));
  }
  std::ofstream(folder / "delivery.jsonl2") << "another log\n";
  std::ofstream(folder / "delivery.jsonl.waiting") << "the log's own mark\n";
  ASSERT_EQ(
      std::system(
          ("gzip '" + std::string(folder.parent_path()) + "/log story'\\''s/delivery.jsonl.3'").c_str()),
      0);
  std::filesystem::create_directory(folder / "delivery.jsonl.d");
  ASSERT_EQ(::mkfifo((folder / "delivery.jsonl.pipe").c_str(), 0600), 0) << "it would be waited for";
  const conf::Result<std::vector<LogPart>> files = log_files(log.string());
  ASSERT_TRUE(files.ok()) << files.error().detail;
  std::vector<std::string> lines;
  for (const LogPart& file : files.value())
    ASSERT_TRUE(for_each_line(file, [&](const std::string& line) { lines.push_back(line); }).ok());
  EXPECT_EQ(lines, (std::vector<std::string>{"line of 3", "line of 2", "line of 1", "line of 0"}));
  EXPECT_FALSE(log_files((folder / "nothing.jsonl").string()).ok());
  for (const char* end : {".4.gz", ".5.xz"}) {
    const std::filesystem::path packed = log.string() + end;
    std::ofstream(packed) << "no packed file\n";
    const auto parts = log_files(packed.string());
    ASSERT_TRUE(parts.ok());
    EXPECT_FALSE(for_each_line(parts.value().front(), [](const std::string&) {}).ok())
        << "half a story is no story";
  }
}

// The relay goes on while the log is searched.
TEST(LogStory, AFileThatIsRotatedMeanwhileIsReadUnderItsNewName) {
  const TemporaryFolder folder;
  const std::string log = (folder / "delivery.jsonl").string();
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const char* end : {".10", ".9", ".1", ""}) {
    std::ofstream(log + end) << "line of" << end << "\n";
    std::filesystem::last_write_time(log + end, now);  // a copy from elsewhere has one time for all
  }
  const conf::Result<std::vector<LogPart>> files = log_files(log);
  ASSERT_TRUE(files.ok());
  std::filesystem::rename(log + ".1", log + ".2");
  std::filesystem::rename(log, log + ".1");
  std::ofstream(log) << "a new line\n";
  std::filesystem::remove(log + ".10");
  std::vector<std::string> lines;
  std::vector<conf::ErrorCode> gone;
  for (const LogPart& file : files.value()) {
    const conf::Status read = for_each_line(file, [&](const std::string& line) { lines.push_back(line); });
    if (!read.ok()) gone.push_back(read.error().code);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"line of.9", "line of.1", "line of"}));
  EXPECT_EQ(gone, std::vector<conf::ErrorCode>{conf::ErrorCode::kNotFound});
}

TEST(LogStory, FindsWhatALineHasEscaped) {
  json one = event("deferred", "1m8a18szv0000", "user@example.net");
  one["reverse_path"] = R"("News Desk"@shop.example)";
  EXPECT_TRUE(LogSearch(R"("news desk"@shop.example)").may_match(one.dump()));
  EXPECT_EQ(LogSearch(R"("news desk"@shop.example)").id_of(one), "1m8a18szv0000");
}

// "Latest" means heard of last, and no more ids are kept than are shown.
TEST(LogStory, ShowsTheMessagesThatWereHeardOfLast) {
  const TemporaryFolder folder;
  const std::filesystem::path log = folder / "latest.jsonl";
  {
    std::ofstream out(log);
    for (const char* id : {"1m8a18szv0001", "1m8a18szv0002", "1m8a18szv0001", "1m8a18szv0003"})
      out << event("deferred", id, "user@example.net").dump() << "\n";
  }
  const Outcome two = command({"log", "--file", log.string(), "--limit", "2", "user@example.net"});
  EXPECT_EQ(two.exit_code, 0) << two.err;
  EXPECT_EQ(two.out.find("1m8a18szv0002"), std::string::npos) << two.out;
  EXPECT_LT(two.out.find("1m8a18szv0001"), two.out.find("1m8a18szv0003")) << two.out;
  EXPECT_NE(two.out.find("There are older ones"), std::string::npos) << two.out;
  const Outcome three = command({"log", "--file", log.string(), "--limit", "3", "user@example.net"});
  EXPECT_EQ(three.out.find("There are older ones"), std::string::npos) << three.out;
  EXPECT_NE(three.out.find("1m8a18szv0002"), std::string::npos) << three.out;
  std::filesystem::remove(log);
}

}  // namespace
}  // namespace relay::cli
