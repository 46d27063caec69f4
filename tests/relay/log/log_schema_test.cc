// docs/delivery-log.schema.json is true of what the relay writes: of every kind of event and every field.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "relay/log/event_json.h"

namespace relay::log {
namespace {

using nlohmann::json;

json schema() {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/docs/delivery-log.schema.json");
  return json::parse(file, nullptr, false);
}

// "" when it is as the schema says. Knows the words that the schema uses.
std::string trouble_with(const json& value, const json& rule) {
  const std::string type = rule.at("type");
  const bool fits = type == "string"    ? value.is_string()
                    : type == "integer" ? value.is_number_integer()
                    : type == "number"  ? value.is_number()
                    : type == "boolean" ? value.is_boolean()
                    : type == "object"  ? value.is_object()
                                        : value.is_array();
  if (!fits) return "is no " + type;
  if (rule.contains("enum") &&
      std::find(rule["enum"].begin(), rule["enum"].end(), value) == rule["enum"].end())
    return "is none of the words";
  if (rule.contains("additionalProperties")) {
    for (const auto& [key, inner] : value.items()) {
      const std::string trouble = trouble_with(inner, rule["additionalProperties"]);
      if (!trouble.empty()) return key + ' ' + trouble;
    }
  }
  if (rule.contains("minimum") && value < rule["minimum"]) return "is too small";
  if (rule.contains("maximum") && value > rule["maximum"]) return "is too large";
  if (rule.contains("pattern") &&
      !std::regex_search(value.get<std::string>(), std::regex(rule["pattern"].get<std::string>())))
    return "has another form";
  return "";
}

void expect_good(const conf::DeliveryEvent& event, const json& schema, std::set<std::string>* seen) {
  const json line = json::parse(to_json(event));
  EXPECT_TRUE(line.contains("event"));
  for (const auto& [key, value] : line.items()) {
    ASSERT_TRUE(schema.at("properties").contains(key)) << key << " is not in the schema: " << line;
    EXPECT_EQ(trouble_with(value, schema["properties"][key]), "") << key << " in " << line;
    seen->insert(key);
  }
}

// With a value in every field.
conf::DeliveryEvent full() {
  conf::DeliveryEvent e;
  e.time = e.next_attempt = conf::from_unix_micros(1'700'000'000'123'456);
  e.id = e.related = 12345;
  conf::LoggedHeader header;
  header.message_id = "1@example.net";
  header.fields = {{"X-Campaign", "spring \"sale\""}, {"X-List", ""}};
  e.header = std::make_shared<const conf::LoggedHeader>(header);
  e.envid = "order 7";
  e.reverse_path = e.recipient = "a@example.net";
  e.recipients = e.attempt = 3;
  e.size_bytes = 10'240;
  e.site = e.mx_host = "mx.example.net";
  e.mx_address = e.client = "192.0.2.1:25";
  e.source = e.stream = e.tls = e.rule = e.listener = e.auth = e.file = "x";
  e.reply_code = 451;
  e.enhanced_status = "4.7.1";
  e.reply = "later";
  e.type = conf::ErrorType::kSoft;
  e.reason = conf::Reason::kMailboxFull;
  e.scope = conf::Scope::kRecipient;
  e.row = 0x3f2a;
  e.limit = conf::Bind::kBlocked;
  e.stage = conf::Stage::kRcpt;
  e.uncertain = e.confirmed = true;
  e.matched = conf::MatchedBy::kMessageId;
  e.delays = {conf::Duration(1), conf::Duration(0), conf::Duration(2), conf::Duration(3)};
  conf::AddressNotice notice;
  notice.status = conf::AddressStatus::kQuarantine;
  notice.suppression = conf::Suppression::kRefused;
  notice.list = "own";
  notice.wave = notice.refusals = 7;
  e.notice = std::make_shared<const conf::AddressNotice>(notice);
  conf::DoorEvent door;
  door.client = door.listener = door.user = door.detail = "x";
  door.count = 5;
  door.of_user = 3;
  door.of_detail = 4;
  e.door = std::make_shared<const conf::DoorEvent>(door);
  e.order = std::make_shared<const conf::QueueOrder>(conf::QueueOrder{{}, "all", "operator anna", 3, 1, "x"});
  return e;
}

TEST(LogSchema, EveryLineIsAsItSaysAndNothingInItIsNeverWritten) {
  const json rules = schema();
  ASSERT_TRUE(rules.is_object()) << "docs/delivery-log.schema.json is no JSON";
  EXPECT_EQ(rules.at("$id"), "urn:penstock:delivery-log:1");
  std::set<std::string> seen{"lost"};                   // of log_gap, which is no event
  std::set<std::string> words{"log_gap", "held_back"};  // kDeferred without an attempt is the latter
  for (size_t kind = 0; kind < conf::kEventKinds; ++kind) {
    conf::DeliveryEvent event = full();
    event.kind = static_cast<conf::EventKind>(kind);
    words.insert(std::string(kind_text(event.kind)));
    if (event.kind != conf::EventKind::kDecision) {
      expect_good(event, rules, &seen);
      continue;
    }
    for (size_t action = 0; action < conf::kDecisionActions; ++action) {
      conf::SiteDecision decision;
      decision.action = static_cast<conf::DecisionAction>(action);
      decision.rule = decision.where = decision.by = decision.site = decision.source = decision.text = "x";
      decision.messages = decision.errors = decision.rate_per_hour = decision.rate_per_day = 9;
      decision.share = 0.5;
      decision.until = event.time;
      decision.samples = {"550 no"};
      event.decision = std::make_shared<const conf::SiteDecision>(decision);
      expect_good(event, rules, &seen);
    }
  }
  for (size_t action = 0; action < conf::kQueueActions; ++action) {
    conf::DeliveryEvent event = full();
    event.kind = conf::EventKind::kQueueOrder;
    event.order = std::make_shared<const conf::QueueOrder>(
        conf::QueueOrder{static_cast<conf::QueueAction>(action), "all", "operator", 1});
    expect_good(event, rules, &seen);
  }
  for (const auto& [key, rule] : rules.at("properties").items()) EXPECT_TRUE(seen.contains(key)) << key;
  for (const json& word : rules.at("properties").at("event").at("enum"))
    EXPECT_TRUE(words.contains(word)) << word;
  for (int scope = 0; scope <= static_cast<int>(conf::Scope::kSender); ++scope) {
    conf::DeliveryEvent event = full();
    event.type =
        static_cast<conf::ErrorType>(std::min(scope, static_cast<int>(conf::ErrorType::kNotDefined)));
    event.scope = static_cast<conf::Scope>(scope);
    expect_good(event, rules, &seen);
  }
}

// The page for people, which is what an operator searches.
TEST(LogSchema, ThePageHasEveryEventAndEveryField) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/docs/operations.md");
  std::set<std::string> told;  // in the first column of its tables
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string names = line.substr(0, line.find(" | "));
    for (size_t at = names.find('`'); at != std::string::npos;) {
      const size_t end = std::min(names.find('`', at + 1), names.size());
      told.insert(names.substr(at + 1, end - at - 1));
      at = names.find('`', std::min(end + 1, names.size()));
    }
  }
  ASSERT_TRUE(told.contains("accepted"));
  const json rules = schema();
  for (const json& event : rules.at("properties").at("event").at("enum"))
    EXPECT_TRUE(told.contains(event)) << "docs/operations.md lacks the event " << event;
  for (const auto& [key, rule] : rules.at("properties").items())
    EXPECT_TRUE(told.contains(key)) << "docs/operations.md lacks the field " << key;
}

TEST(LogSchema, ThePageHasEveryActionAndEveryReasonAtTheDoor) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/docs/operations.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const auto has = [&page](const char* word) {
    return page.find('`' + std::string(word) + '`') != std::string::npos;
  };
  for (size_t i = 0; i < conf::kDecisionActions; ++i) {
    const char* const action = to_text(static_cast<conf::DecisionAction>(i));
    EXPECT_TRUE(has(action)) << action;
  }
  for (size_t i = 0; i < conf::kQueueActions; ++i) {
    const char* const action = to_text(static_cast<conf::QueueAction>(i));
    EXPECT_TRUE(has(action)) << action;
  }
  for (size_t i = 0; i < conf::kDoorReasons; ++i) {
    const char* const reason = to_text(static_cast<conf::DoorReason>(i));
    EXPECT_TRUE(has(reason)) << reason;
  }
}

}  // namespace
}  // namespace relay::log
