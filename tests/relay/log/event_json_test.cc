#include "relay/log/event_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "conf/vocab/random.h"

namespace relay::log {
namespace {

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(text, &out);
  return out;
}

struct StringCase {
  std::string_view in;
  std::string_view json;
};

TEST(EventJson, Rfc8259_7_Strings) {
  using namespace std::string_view_literals;
  const StringCase cases[] = {
      {"", R"("")"},
      {"550 5.1.1 no such user", R"("550 5.1.1 no such user")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"line\r\n{\"event\":\"delivered\"}", R"("line\r\n{\"event\":\"delivered\"}")"},
      {"\0\x01\t\x1b\x7f"sv, R"("\u0000\u0001\t\u001b\u007f")"},
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac\""},
      {"\xc2\x85\xc2\x9b", R"("\u0085\u009b")"},  // C1: NEL, CSI
      {"\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6", R"("\u2028\u202e\u2066")"},
      {"caf\xe9!", R"("caf\ufffd!")"},                        // Latin-1
      {"\xc0\xaf", R"("\ufffd\ufffd")"},                      // RFC 3629 §10: overlong '/'
      {"\xe0\x80\xaf", R"("\ufffd\ufffd\ufffd")"},            // overlong in three bytes
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},            // RFC 3629 §3: surrogate
      {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},  // above U+10FFFF
      {"\xf0\x9f\x93", R"("\ufffd\ufffd\ufffd")"},            // cut short
      {"\xe2\x82\"", R"("\ufffd\ufffd\"")"},                  // a quote where a continuation should be
      {"\xff\xfe", R"("\ufffd\ufffd")"},
  };
  for (const StringCase& c : cases) EXPECT_EQ(as_json(c.in), c.json);
}

TEST(EventJson, Rfc8259_7_RandomBytesAlwaysParseAsOneLine) {
  conf::Random random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t i = random.below(24); i > 0; --i) {
      // Half of the bytes from the range where sequences begin and go on.
      text.push_back(static_cast<char>(random.chance(0.5) ? random.below(256) : 0x80 + random.below(128)));
    }
    const std::string json = as_json(text);
    for (const char c : json) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << json;
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    ASSERT_TRUE(parsed.is_string()) << json;
  }
}

TEST(EventJson, Rfc8259_7_AsciiAndUtf8Survive) {
  conf::Random random(11);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes;
    for (uint64_t i = random.below(12); i > 0; --i) bytes.push_back(static_cast<char>(random.below(128)));
    bytes += "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac\xc2\x9b";
    EXPECT_EQ(nlohmann::json::parse(as_json(bytes)).get<std::string>(), bytes);
  }
}

std::string time_text(int64_t micros) {
  std::string out;
  append_json_time(conf::from_unix_micros(micros), &out);
  return out;
}

TEST(EventJson, Rfc3339_5_6_Times) {
  EXPECT_EQ(time_text(0), R"("1970-01-01T00:00:00.000000Z")");
  EXPECT_EQ(time_text(-1), R"("1969-12-31T23:59:59.999999Z")");
  EXPECT_EQ(time_text(951'782'400'000'001), R"("2000-02-29T00:00:00.000001Z")");
  EXPECT_EQ(time_text(4'107'542'399'999'999), R"("2100-02-28T23:59:59.999999Z")");
  EXPECT_EQ(time_text(4'107'542'400'000'000), R"("2100-03-01T00:00:00.000000Z")");
  EXPECT_EQ(time_text(INT64_MAX), R"("9999-12-31T23:59:59.999999Z")");
  EXPECT_EQ(time_text(INT64_MIN), R"("0000-01-01T00:00:00.000000Z")");
}

TEST(EventJson, Rfc3339_5_6_TimesAgreeWithTheSystem) {
  conf::Random random(3);
  for (int round = 0; round < 20'000; ++round) {
    const int64_t seconds = static_cast<int64_t>(random.below(315'000'000'000)) - 62'167'219'200;
    const time_t time = seconds;
    std::tm parts{};
    ASSERT_NE(gmtime_r(&time, &parts), nullptr);
    char expected[64];
    std::snprintf(expected, sizeof expected, "\"%04d-%02d-%02dT%02d:%02d:%02d.000042Z\"",
                  parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                  parts.tm_sec);
    ASSERT_EQ(time_text(seconds * 1'000'000 + 42), expected);
  }
}

conf::DeliveryEvent full_event() {
  conf::DeliveryEvent e;
  e.kind = conf::EventKind::kDeferred;
  e.time = conf::from_unix_micros(1'700'000'000'123'456);
  e.id = 12345;
  e.reverse_path = "news@example.org";
  e.recipient = "a@example.net";
  e.recipients = 3;
  e.size_bytes = 10'240;
  e.site = "mx.example.net";
  e.mx_host = "mx1.example.net";
  e.mx_address = "192.0.2.1:25";
  e.source = "default";
  e.tls = "TLSv1.3";
  e.reply_code = 451;
  e.enhanced_status = "4.7.1";
  e.reply = "try\r\nlater \xff";
  e.type = conf::ErrorType::kSoft;
  e.reason = conf::Reason::kMailboxFull;
  e.scope = conf::Scope::kRecipient;
  e.row = 0x3f2a;
  e.rule = "text: greylist";
  e.stage = conf::Stage::kRcpt;
  e.attempt = 2;
  e.next_attempt = conf::from_unix_micros(1'700'003'600'000'000);
  e.uncertain = true;
  e.delays = {conf::Duration(10), conf::Duration(0), conf::Duration(-1), conf::Duration(77)};
  e.client = "192.0.2.9";
  e.listener = "local";
  e.auth = "shop";
  e.related = 77;
  return e;
}

TEST(EventJson, EveryFieldIsThere) {
  const std::string line = to_json(full_event());
  const nlohmann::json expected = {{"time", "2023-11-14T22:13:20.123456Z"},
                                   {"event", "deferred"},
                                   {"id", conf::to_text(12345)},
                                   {"reverse_path", "news@example.org"},
                                   {"recipient", "a@example.net"},
                                   {"recipients", 3},
                                   {"size_bytes", 10240},
                                   {"site", "mx.example.net"},
                                   {"mx_host", "mx1.example.net"},
                                   {"mx_address", "192.0.2.1:25"},
                                   {"source", "default"},
                                   {"tls", "TLSv1.3"},
                                   {"reply_code", 451},
                                   {"enhanced_status", "4.7.1"},
                                   {"reply", "try\r\nlater \xef\xbf\xbd"},
                                   {"type", "soft"},
                                   {"reason", "mailbox-full"},
                                   {"scope", "recipient"},
                                   {"row", "0000000000003f2a"},
                                   {"class_rule", "text: greylist"},
                                   {"rule", "text: greylist"},
                                   {"stage", "rcpt"},
                                   {"attempt", 2},
                                   {"next_attempt", "2023-11-14T23:13:20.000000Z"},
                                   {"uncertain", true},
                                   {"queue_us", 10},
                                   {"dns_us", 0},
                                   {"transaction_us", 77},
                                   {"client", "192.0.2.9"},
                                   {"listener", "local"},
                                   {"auth", "shop"},
                                   {"related", conf::to_text(77)}};
  EXPECT_EQ(nlohmann::json::parse(line), expected);
}

TEST(EventJson, WhatIsEmptyIsLeftOutButTheNullReversePath) {
  const nlohmann::json expected = {{"time", "1970-01-01T00:00:00.000000Z"},
                                   {"event", "accepted"},
                                   {"id", conf::to_text(0)},
                                   {"reverse_path", ""}};
  EXPECT_EQ(nlohmann::json::parse(to_json(conf::DeliveryEvent{})), expected);
}

// As the docs have it, and so that nobody prints "451 4.7.1 4.7.1 ...".
TEST(EventJson, TheStatusStandsOnce) {
  conf::DeliveryEvent e;
  e.enhanced_status = "4.7.1";
  e.reply = "4.7.1 Greylisted";
  EXPECT_EQ(nlohmann::json::parse(to_json(e)).at("reply"), "Greylisted");
  e.reply = "4.7.10 of another status";
  EXPECT_EQ(nlohmann::json::parse(to_json(e)).at("reply"), "4.7.10 of another status");
  e.reply = "4.7.1";
  EXPECT_EQ(nlohmann::json::parse(to_json(e)).at("reply"), "4.7.1");
}

TEST(EventJson, TheRuleOfThePathIsNotTakenForWhatQualifiedTheRefusal) {
  conf::DeliveryEvent e;
  e.kind = conf::EventKind::kDelivered;
  e.mx_rule = "gmail";
  const nlohmann::json line = nlohmann::json::parse(to_json(e));
  EXPECT_EQ(line.at("mx_rule"), "gmail");
  EXPECT_FALSE(line.contains("rule"));
}

TEST(EventJson, WhatHeldTheMessageBackIsNamed) {
  conf::DeliveryEvent e;
  e.kind = conf::EventKind::kDeferred;
  e.mx_rule = "gmail";
  e.limit = conf::Bind::kBlocked;
  const nlohmann::json line = nlohmann::json::parse(to_json(e));
  EXPECT_EQ(line.at("event"), "held_back");
  EXPECT_EQ(line.at("mx_rule"), "gmail");
  EXPECT_EQ(line.at("rule"), "gmail");
  EXPECT_EQ(line.at("limit"), "blocked");
  e.limit = conf::Bind::kBackOff;
  EXPECT_EQ(nlohmann::json::parse(to_json(e)).at("event"), "deferred")
      << "its connections failed: it was tried";
}

TEST(EventJson, EachKindHasItsWord) {
  using conf::EventKind;
  const std::pair<EventKind, std::string_view> cases[] = {{EventKind::kAccepted, "accepted"},
                                                          {EventKind::kDeferred, "deferred"},
                                                          {EventKind::kDelivered, "delivered"},
                                                          {EventKind::kFailed, "failed"},
                                                          {EventKind::kExpired, "expired"},
                                                          {EventKind::kReportSent, "report_sent"},
                                                          {EventKind::kDropped, "dropped"},
                                                          {EventKind::kUnsigned, "unsigned"},
                                                          {EventKind::kAlarm, "alarm"},
                                                          {EventKind::kDecision, "decision"},
                                                          {EventKind::kRefusedClient, "refused_client"},
                                                          {EventKind::kTrouble, "trouble"},
                                                          {EventKind::kSuppressed, "suppressed"},
                                                          {EventKind::kAddress, "address"},
                                                          {EventKind::kWave, "wave"},
                                                          {EventKind::kQueueOrder, "queue_order"}};
  for (const auto& [kind, word] : cases) EXPECT_EQ(kind_text(kind), word);
}

TEST(EventJson, AnAddressThatIsNotWrittenToSaysWhy) {
  conf::DeliveryEvent e;
  e.kind = conf::EventKind::kSuppressed;
  e.recipient = "ann@x.example";
  conf::AddressNotice notice;
  notice.status = conf::AddressStatus::kQuarantine;
  e.reason = conf::Reason::kUserUnknown;
  notice.suppression = conf::Suppression::kRefused;
  e.notice = std::make_shared<const conf::AddressNotice>(notice);
  nlohmann::json line = nlohmann::json::parse(to_json(e));
  EXPECT_EQ(line.at("status"), "quarantine");
  EXPECT_EQ(line.at("reason"), "user-unknown");
  EXPECT_EQ(line.at("suppression"), "refused");
  EXPECT_EQ(line.count("id"), 0U) << "it was refused before there was a message";
  e.id = 5;
  EXPECT_EQ(nlohmann::json::parse(to_json(e)).count("id"), 1U);
}

TEST(EventJson, NoFieldCanForgeALine) {
  const std::string hostile = "x\n{\"event\":\"delivered\"}\r\n\x1b[2J\xc2\x85\xe2\x80\xa8";
  conf::DeliveryEvent e = full_event();
  for (std::string conf::DeliveryEvent::*field :
       {&conf::DeliveryEvent::reverse_path, &conf::DeliveryEvent::recipient, &conf::DeliveryEvent::site,
        &conf::DeliveryEvent::mx_host, &conf::DeliveryEvent::mx_address, &conf::DeliveryEvent::source,
        &conf::DeliveryEvent::tls, &conf::DeliveryEvent::enhanced_status, &conf::DeliveryEvent::reply,
        &conf::DeliveryEvent::mx_rule, &conf::DeliveryEvent::client, &conf::DeliveryEvent::listener,
        &conf::DeliveryEvent::auth, &conf::DeliveryEvent::rule}) {
    e.*field = hostile;
  }
  const std::string line = to_json(e);
  for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
  EXPECT_EQ(nlohmann::json::parse(line).at("reply"), hostile);
}

conf::DeliveryEvent decision_event(const conf::SiteDecision& decision) {
  conf::DeliveryEvent e;
  e.kind = conf::EventKind::kDecision;
  e.time = conf::from_unix_micros(1'700'000'000'123'456);
  e.decision = std::make_shared<const conf::SiteDecision>(decision);
  return e;
}

conf::SiteDecision full_decision() {
  conf::SiteDecision d;
  d.action = conf::DecisionAction::kBlock;
  d.rule = "general";
  d.where = "rules.toml:12";
  d.by = "threshold 1";
  d.site = "mx.example.net";
  d.source = "default";
  d.messages = 300;
  d.errors = 271;
  d.share = 271.0 / 300;
  d.until = conf::from_unix_micros(1'700'003'600'000'000);
  d.rate_per_hour = 5'000;
  d.rate_per_day = 70;
  d.samples = {"550 5.7.1 listed", "421 \"slow\"\nplease", "caf\xe9"};
  d.text = "271 of 300 were refused: no mail until 23:13";
  return d;
}

TEST(EventJson, ADecisionCarriesItsEvidenceAndNoMessage) {
  const nlohmann::json expected = {
      {"time", "2023-11-14T22:13:20.123456Z"},
      {"event", "decision"},
      {"action", "block"},
      {"mx_rule", "general"},
      {"rule", "general"},
      {"where", "rules.toml:12"},
      {"by", "threshold 1"},
      {"site", "mx.example.net"},
      {"source", "default"},
      {"messages", 300},
      {"errors", 271},
      {"share", 0.9033},
      {"until", "2023-11-14T23:13:20.000000Z"},
      {"rate_per_hour", 5000},
      {"rate_per_day", 70},
      {"samples", {"550 5.7.1 listed", "421 \"slow\"\nplease", "caf\xef\xbf\xbd"}},
      {"text", "271 of 300 were refused: no mail until 23:13"}};
  EXPECT_EQ(nlohmann::json::parse(to_json(decision_event(full_decision()))), expected);
}

TEST(EventJson, AnOrderOnTheQueueSaysWhoDidWhatToWhich) {
  conf::DeliveryEvent event = full_event();
  event.kind = conf::EventKind::kQueueOrder;
  event.order = std::make_shared<const conf::QueueOrder>(
      conf::QueueOrder{conf::QueueAction::kHold, "domain = x.test, older than 2 h", "operator anna", 12});
  const nlohmann::json expected = {{"time", "2023-11-14T22:13:20.123456Z"},
                                   {"event", "queue_order"},
                                   {"action", "hold"},
                                   {"by", "operator anna"},
                                   {"messages", 12},
                                   {"what", "domain = x.test, older than 2 h"}};
  EXPECT_EQ(nlohmann::json::parse(to_json(event)), expected);
  event.order = std::make_shared<const conf::QueueOrder>(
      conf::QueueOrder{conf::QueueAction::kDrop, "all", "operator", 2, 5, "no answer"});
  const nlohmann::json half = nlohmann::json::parse(to_json(event));
  EXPECT_EQ(half.at("not_done"), 5);
  EXPECT_EQ(half.at("detail"), "no answer");
}

TEST(EventJson, ADecisionLeavesOutWhatItDoesNotKnow) {
  conf::SiteDecision d;
  d.action = conf::DecisionAction::kUnblock;
  d.by = "operator";
  d.errors = 5;
  d.share = 1;
  nlohmann::json expected = {{"time", "2023-11-14T22:13:20.123456Z"},
                             {"event", "decision"},
                             {"action", "unblock"},
                             {"by", "operator"}};
  EXPECT_EQ(nlohmann::json::parse(to_json(decision_event(d))), expected);
  d.messages = 300;
  d.errors = 0;
  for (const auto& [share, written] :
       {std::pair(0.0, 0.0), std::pair(std::nan(""), 0.0), std::pair(-1.0, 0.0), std::pair(1e300, 1.0)}) {
    d.share = share;
    const nlohmann::json line = nlohmann::json::parse(to_json(decision_event(d)));
    EXPECT_EQ(line.at("share"), written);
    EXPECT_EQ(line.at("errors"), 0);
  }
}

TEST(EventJson, NoReplyInADecisionCanForgeALine) {
  const std::string hostile = "x\n{\"event\":\"delivered\"}\r\n\x1b[2J\xc2\x85\xe2\x80\xa8";
  conf::SiteDecision d = full_decision();
  for (std::string conf::SiteDecision::*field :
       {&conf::SiteDecision::rule, &conf::SiteDecision::where, &conf::SiteDecision::by,
        &conf::SiteDecision::site, &conf::SiteDecision::source, &conf::SiteDecision::text}) {
    d.*field = hostile;
  }
  d.samples = {hostile, hostile};
  const std::string line = to_json(decision_event(d));
  for (const char c : line) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  EXPECT_EQ(nlohmann::json::parse(line).at("samples").at(1), hostile);
}

// Of mail that came back and says nothing of a message of ours there is no id, and no reverse-path of one.
TEST(EventJson, WhatIsUnmatchedHasNoId) {
  conf::DeliveryEvent event;
  event.kind = conf::EventKind::kUnmatched;
  event.reply = "it is no report";
  const nlohmann::json none = nlohmann::json::parse(to_json(event));
  EXPECT_FALSE(none.contains("id")) << none;
  EXPECT_FALSE(none.contains("reverse_path")) << none;
  EXPECT_EQ(none.at("reply"), "it is no report");
  event.id = 7;
  EXPECT_TRUE(nlohmann::json::parse(to_json(event)).contains("id"));
}

}  // namespace
}  // namespace relay::log
