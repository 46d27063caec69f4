#include "relay/admin/queue_filter.h"

#include <gtest/gtest.h>

#include "tests/relay/admin/records.h"

namespace relay::admin {
namespace {

std::string site_of(const std::string& domain) {
  return domain == "example.net" ? "mx1.host.example,mx2.host.example" : domain;
}

const conf::WallTime kAccepted = conf::from_unix_micros(1'000'000'000);
const conf::WallTime kNow = kAccepted + std::chrono::hours(1);

struct FilterCase {
  const char* key;
  const char* value;
  Match expected;
};

TEST(QueueFilter, OneCriterionAtATime) {
  // example.net and example.com are pending; example.org is delivered and counts no more.
  spool::MessageRecord record = message(
      10, "News@Shop.example",
      {recipient("a@example.net", "4.7.1", "Greylisted, please try again"),
       recipient("b@example.com", "4.4.1", "connection refused"), recipient("c@example.org", "2.0.0", "ok")});
  record.recipients[2].state = spool::RecipientState::kDelivered;
  record.stream = "newsletter";
  const FilterCase cases[] = {
      {"sender", "news@shop.example", Match::kAll},
      {"sender", "shop.example", Match::kAll},
      {"sender", "*.example", Match::kAll},
      {"sender", "*@shop.example", Match::kAll},
      {"sender", "other@shop.example", Match::kNone},
      {"sender", "example", Match::kNone},
      {"sender", "<>", Match::kNone},
      {"stream", "newsletter", Match::kAll},
      {"stream", "news*", Match::kAll},
      {"stream", "tx", Match::kNone},
      {"domain", "example.net", Match::kSome},
      {"domain", "EXAMPLE.*", Match::kAll},
      {"domain", "example.org", Match::kNone},
      {"site", "mx2.host.example", Match::kSome},
      {"site", "mx1.host.example,mx2.host.example", Match::kSome},
      {"site", "*.host.example", Match::kSome},
      {"site", "example.com", Match::kSome},
      {"site", "host.example", Match::kNone},
      {"reason", "GREYLIST", Match::kSome},
      {"reason", "4.4.1", Match::kSome},
      {"reason", "4.", Match::kAll},
      {"reason", "ok", Match::kNone},
      {"older_than", "30m", Match::kAll},
      {"older_than", "1h", Match::kAll},
      {"older_than", "2h", Match::kNone},
      {"younger_than", "2h", Match::kAll},
      {"younger_than", "1h", Match::kNone},
  };
  for (const FilterCase& c : cases) {
    QueueFilter filter;
    ASSERT_TRUE(filter.set(c.key, c.value).ok()) << c.key << "=" << c.value;
    EXPECT_EQ(match(filter, record, kNow, {site_of, nullptr}), c.expected) << c.key << "=" << c.value;
  }
}

TEST(QueueFilter, Rfc5321_4_5_5_NullReversePath) {
  const spool::MessageRecord record = message(1, "", {recipient("a@example.net")});
  QueueFilter null;
  ASSERT_TRUE(null.set("sender", "<>").ok());
  EXPECT_EQ(match(null, record, kNow, {site_of, nullptr}), Match::kAll);
  QueueFilter any_domain;
  ASSERT_TRUE(any_domain.set("sender", "*").ok());
  EXPECT_EQ(match(any_domain, record, kNow, {site_of, nullptr}), Match::kNone);
}

TEST(QueueFilter, CriteriaOfARecipientMustMeetInOneRecipient) {
  const spool::MessageRecord record = message(
      1, "n@s.example", {recipient("a@example.net", "", "full"), recipient("b@example.com", "", "refused")});
  QueueFilter filter;
  ASSERT_TRUE(filter.set("domain", "example.net").ok());
  ASSERT_TRUE(filter.set("reason", "refused").ok());
  EXPECT_EQ(match(filter, record, kNow, {site_of, nullptr}), Match::kNone);
  EXPECT_TRUE(may_match(filter, record, kNow)) << "the reason may be one of the running relay";
  filter.reason = "full";
  EXPECT_EQ(match(filter, record, kNow, {site_of, nullptr}), Match::kSome);
}

TEST(QueueFilter, WhyMailWaitsNowIsAReasonToo) {
  const spool::MessageRecord record =
      message(7, "n@s.example", {recipient("a@example.net"), recipient("b@example.com")});
  QueueFilter filter;
  ASSERT_TRUE(filter.set("reason", "Blocked").ok());
  EXPECT_TRUE(has_reason(filter, "blocked after refusals"));
  EXPECT_EQ(match(filter, record, kNow, {}), Match::kNone);
  const auto waits_so = [](conf::MessageId id, const std::string& domain) {
    return id == 7 && domain == "example.com";
  };
  EXPECT_EQ(match(filter, record, kNow, {nullptr, waits_so}), Match::kSome);
  filter.domain = "example.net";
  EXPECT_EQ(match(filter, record, kNow, {nullptr, waits_so}), Match::kNone) << "of one recipient both";
}

TEST(QueueFilter, EmptyMeansEveryMessage) {
  EXPECT_TRUE(QueueFilter().empty());
  EXPECT_EQ(match({}, message(1, "", {}), kNow, {}), Match::kAll);
}

TEST(QueueFilter, UpToIsInclusive) {
  QueueFilter filter;
  ASSERT_TRUE(filter.set("up_to", conf::to_text(10)).ok());
  EXPECT_FALSE(filter.empty());
  EXPECT_EQ(match(filter, message(10, "", {}), kNow, {}), Match::kAll);
  EXPECT_EQ(match(filter, message(11, "", {}), kNow, {}), Match::kNone);
}

TEST(QueueFilter, ClockThatWentBackMakesNobodyOld) {
  QueueFilter filter;
  ASSERT_TRUE(filter.set("older_than", "1s").ok());
  EXPECT_EQ(match(filter, message(1, "", {}), kAccepted - std::chrono::hours(1), {}), Match::kNone);
}

TEST(QueueFilter, BadInputIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"color", "red"}, {"sender", ""}, {"older_than", "soon"}, {"younger_than", "x"}, {"up_to", "!"}};
  for (const auto& [key, value] : cases) {
    QueueFilter filter;
    const conf::Status set = filter.set(key, value);
    ASSERT_FALSE(set.ok()) << key;
    EXPECT_EQ(set.error().code, conf::ErrorCode::kInvalid);
    EXPECT_EQ(set.error().detail.find(std::string(key) + ": "), 0u) << set.error().detail;
    EXPECT_TRUE(filter.empty()) << key;
  }
}

}  // namespace
}  // namespace relay::admin
