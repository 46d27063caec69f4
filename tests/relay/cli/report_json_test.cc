#include "relay/cli/report_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace relay::cli {
namespace {

nlohmann::ordered_json read(const bounce::report::Report& report) {
  std::string out;
  append_report_json(report, {"a.eml", 1}, *bounce::Qualifier::shipped(), {}, &out);
  return nlohmann::ordered_json::parse(out);
}

TEST(ReportJson, MailThatIsNoReportHasEveryKeyAndSaysNothing) {
  bounce::report::Report bounced;
  bounced.kind = bounce::report::Kind::kDsn;
  bounced.recipients.emplace_back().address = "ann@far.test";
  const nlohmann::ordered_json some = read(bounced);
  const nlohmann::ordered_json none = read(bounce::report::Report());
  ASSERT_EQ(none.size(), some.size());
  auto there = some.begin();
  for (auto here = none.begin(); here != none.end(); ++here, ++there) {
    EXPECT_EQ(here.key(), there.key());
    if (there.value().is_string() && here.key() != "file" && here.key() != "kind" && here.key() != "token") {
      EXPECT_EQ(here.value(), "") << here.key();
    }
  }
  EXPECT_EQ(none["kind"], "notbounce");
  EXPECT_EQ(none["code"], 0);
  EXPECT_TRUE(none["reason_code"].is_null()) << "0 is a reason";
  EXPECT_EQ(none["token"], "none");
}

TEST(ReportJson, SaysWhatTheTokenOfAMessageIdIs) {
  const bounce::ReturnKeys keys = *bounce::ReturnKeys::make({{1, "a secret of 16 octets or more"}});
  const bounce::ReturnKeys others = *bounce::ReturnKeys::make({{1, "another secret of 16 octets"}});
  const conf::WallTime now = conf::SystemClock().wall();
  bounce::ReturnToken token;
  token.message = 7;
  token.grade = conf::VerpGrade::kMessage;
  token.expires = now;
  bounce::report::Report bounced;
  bounced.kind = bounce::report::Kind::kDsn;
  bounced.message_id = keys.sign(token) + "@return.example";
  const auto state = [&](const bounce::ReturnKeys& signer, conf::WallTime when) {
    std::string out;
    append_report_json(bounced, {"a.eml", 1}, *bounce::Qualifier::shipped(), {&signer, {{}}, when}, &out);
    return nlohmann::json::parse(out)["token"].get<std::string>();
  };
  EXPECT_EQ(state(keys, now), "valid");
  EXPECT_EQ(state(keys, now + std::chrono::hours(48)), "expired");
  EXPECT_EQ(state(others, now), "forged");
  bounced.message_id = "7@return.example";
  EXPECT_EQ(state(keys, now), "none");
}

}  // namespace
}  // namespace relay::cli
