// docs/operations.md tells of every metric and of every key of the answers of the API.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "relay/admin/census_json.h"
#include "relay/admin/metrics_text.h"
#include "relay/admin/mx_json.h"
#include "relay/admin/queue_json.h"
#include "tests/relay/admin/records.h"

namespace relay::admin {
namespace {

using nlohmann::json;

std::string page() {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/docs/operations.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> found(const std::string& text, const std::regex& what) {
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), what), end; it != end; ++it) names.insert((*it)[1]);
  return names;
}

QueueSummary full_summary() {
  QueueSummary summary;
  summary.sites.push_back({"mx.example.net", 1, 1, 1, "connection refused"});
  summary.unknown_text_sites.push_back({"mx.example.net", 1});
  summary.refused_at_door.push_back({"in", conf::DoorReason::kTlsFailed, 1});
  return summary;
}

spool::SpoolHealth full_health() {
  spool::SpoolHealth health;
  health.free_inodes = 1;
  return health;
}

// With a row for each metric, and none for a metric that is not there.
TEST(AdminDocs, EveryMetricIsToldOf) {
  std::istringstream lines(page());
  std::string rows;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| `penstock_")) rows += line.substr(0, line.find(" | ")) + '\n';
  EXPECT_EQ(found(metrics_text(full_summary(), full_health(), {}), std::regex("# TYPE (\\w+) ")),
            found(rows, std::regex("`(penstock_\\w+)")));
}

Waiting full_waiting() {
  Waiting waiting;
  waiting.name = "mx.example.net";
  waiting.reasons.push_back({"blocked", 1, 1});
  waiting.other_reasons = waiting.other_count = 1;
  return waiting;
}

PathView full_path() {
  conf::SiteDecision decision;
  decision.where = decision.site = decision.source = "x";
  decision.messages = decision.errors = decision.rate_per_hour = decision.rate_per_day = 1;
  decision.until = conf::from_unix_micros(1);
  decision.samples = {"550 no"};
  PathView path;
  path.scope = conf::RuleScope::kSource;
  path.limits.emplace_back();
  path.traffic.emplace_back();
  path.traffic.back().slice_limit = 1;
  path.traffic.back().slowed_seconds = 1;
  path.thresholds.emplace_back();
  path.state = mx::Standing::State::kBlocked;
  path.allowed.by = mx::Bind::kRate;
  path.binds = mx::Bind::kRecording;
  path.opening = true;
  path.ladder_per_day = 1;
  path.decisions.push_back({{}, std::make_shared<const conf::SiteDecision>(decision)});
  return path;
}

Explanation full_explanation() {
  Explanation told;
  told.route.hosts.emplace_back();
  told.paths.push_back(full_path());
  told.sources.emplace_back();
  told.sources.back().never = "x";
  told.sources.back().binds = mx::Bind::kBlocked;
  told.waiting = full_waiting();
  told.stream_orders.emplace_back();
  told.stream_order = OrderView();
  return told;
}

json full_message() {
  spool::MessageRecord record =
      message(1, "ann@shop.example", {recipient("bob@example.net", "4.7.1", "later")});
  record.recipients[0].reply_code = 450;
  record.recipients[0].mx_host = "mx.example.net";
  record.report_about = 2;
  record.stream = "news";
  record.envelope.envid = record.envelope.listener = record.envelope.client_address = "x";
  record.envelope.client_name = record.envelope.authenticated_as = "x";
  return {message_json(record, {}), message_detail_json(record, {})};
}

void expect_keys(const json& value, const std::string& page) {
  if (!value.is_structured()) return;  // a plain value is its own only item
  for (const auto& [key, inner] : value.items()) {
    if (value.is_object()) {
      EXPECT_NE(page.find('`' + key + '`'), std::string::npos) << key;
    }
    expect_keys(inner, page);
  }
}

TEST(AdminDocs, EveryKeyOfAnAnswerIsToldOf) {
  MxOrderDone done;
  done.streams = {"news"};
  OrderView order;
  order.order.stream = "news";
  order.problem = "no [[stream]] is named \"news\"";
  const std::string text = page();
  for (const json& answer :
       {summary_json(full_summary()), health_json({}, full_health(), {}), waiting_json(full_waiting()),
        delivery_json({}), explanation_json(full_explanation()), full_message(), orders_json({order}),
        order_done_json(done), paused_json({"news"}, {order})})
    expect_keys(answer, text);
}

}  // namespace
}  // namespace relay::admin
