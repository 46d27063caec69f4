#include "mx/rules/path_limits.h"

#include <gtest/gtest.h>

namespace mx {
namespace {

using conf::RuleField;
using std::chrono_literals::operator""s;

conf::DestinationSettings base() {
  conf::DestinationSettings settings;
  settings.max_connections = 10;
  settings.max_messages_per_connection = 50;
  settings.max_recipients_per_transaction = 30;
  return settings;
}

RulePtr built(conf::MxRule written) {
  written.name = "r";
  written.mx = {{"*", 1}};
  const BuiltRules rules = build_rules({written});
  EXPECT_NE(rules.book, nullptr) << (rules.problems.empty() ? "" : rules.problems[0].text());
  return rules.book == nullptr ? nullptr : rules.book->named("r");
}

TEST(PathLimits, WithoutARuleTheDestinationHolds) {
  const PathLimits limits = limits_for(nullptr, base());
  EXPECT_EQ(limits.scope, conf::RuleScope::kSource);
  EXPECT_EQ(limits.max_connections, 10U);
  EXPECT_EQ(limits.max_messages_per_connection, 50U);
  EXPECT_EQ(limits.messages_per_hour, 0U);
  EXPECT_EQ(limits.rate.events, 0U);
  EXPECT_TRUE(limits.thresholds.empty());
  EXPECT_EQ(settings_with(nullptr, base()).max_recipients_per_transaction, 30U);
}

TEST(PathLimits, EveryValueOfTheRuleArrives) {
  conf::MxRule rule;
  conf::RuleFields<RuleField>& f = rule.fields;
  f.scope = RuleField<conf::RuleScope>::set(conf::RuleScope::kPool);
  f.one_site = RuleField<bool>::set(true);
  f.max_connections = RuleField<uint32_t>::set(40);
  f.min_connections = RuleField<uint32_t>::set(3);
  f.max_messages_per_connection = RuleField<uint32_t>::set(60);
  f.messages_per_hour = RuleField<uint32_t>::set(1000);
  f.smooth = RuleField<bool>::set(true);
  f.rate = RuleField<conf::RuleRate>::set({50, 1s, 7});
  f.thresholds = RuleField<std::vector<conf::RuleThreshold>>::set({{.min_messages = 20}, {}});
  f.adaptive = RuleField<conf::AdaptiveMode>::set(conf::AdaptiveMode::kAdvise);
  f.adaptive_min_per_hour = RuleField<uint32_t>::set(10);
  f.adaptive_max_per_hour = RuleField<uint32_t>::set(900);
  f.warmup = RuleField<std::vector<uint32_t>>::set({50, 100});
  f.warmup_hold = RuleField<double>::set(0.1);
  const RulePtr full = built(rule);
  const PathLimits limits = limits_for(full.get(), base(), true);
  EXPECT_EQ(limits.scope, conf::RuleScope::kPool);
  EXPECT_TRUE(limits.one_site);
  EXPECT_EQ(limits.max_connections, 40U);
  EXPECT_EQ(limits.min_connections, 3U);
  EXPECT_EQ(limits.max_messages_per_connection, 60U);
  EXPECT_EQ(limits.messages_per_hour, 1000U);
  EXPECT_TRUE(limits.smooth);
  EXPECT_EQ(limits.rate.events, 50U);
  EXPECT_EQ(limits.rate.burst, 7U);
  ASSERT_EQ(limits.thresholds.size(), 2U);
  EXPECT_EQ(limits.thresholds[0].min_messages, 20U);
  EXPECT_EQ(limits.adaptive, conf::AdaptiveMode::kAdvise);
  EXPECT_EQ(limits.adaptive_min_per_hour, 10U);
  EXPECT_EQ(limits.adaptive_max_per_hour, 900U);
  EXPECT_EQ(limits.warmup, (std::vector<uint32_t>{50, 100}));
  EXPECT_EQ(limits.warmup_hold_ppm, 100'000U);
  EXPECT_TRUE(limits_for(full.get(), base()).warmup.empty()) << "the source is not new";
}

TEST(PathLimits, TheFloorIsNeverAboveTheLimit) {
  conf::MxRule rule;
  rule.fields.min_connections = RuleField<uint32_t>::set(15);
  EXPECT_EQ(limits_for(built(rule).get(), base()).min_connections, 10U);
}

TEST(PathLimits, AShippedRuleOnlyLowers) {
  conf::MxRule rule;
  rule.shipped = true;
  rule.fields.max_connections = RuleField<uint32_t>::set(20);
  rule.fields.max_messages_per_connection = RuleField<uint32_t>::set(20);
  rule.fields.max_recipients = RuleField<uint32_t>::set(100);
  const RulePtr shipped = built(rule);
  conf::DestinationSettings settings = settings_with(shipped.get(), base());
  EXPECT_EQ(settings.max_connections, 10U);
  EXPECT_EQ(settings.max_messages_per_connection, 20U);
  EXPECT_EQ(settings.max_recipients_per_transaction, 30U);
  conf::DestinationSettings endless = base();
  endless.max_messages_per_connection = 0;
  EXPECT_EQ(settings_with(shipped.get(), endless).max_messages_per_connection, 20U);
  EXPECT_EQ(limits_for(shipped.get(), base()).max_connections, 10U);
}

TEST(PathLimits, SettingsOfASession) {
  conf::MxRule rule;
  conf::RuleFields<RuleField>& f = rule.fields;
  f.max_recipients = RuleField<uint32_t>::set(90);
  f.connect_timeout = RuleField<conf::Duration>::set(11s);
  f.dot_timeout = RuleField<conf::Duration>::set(12s);
  f.timeout = RuleField<conf::Duration>::set(13s);
  f.tls = RuleField<conf::TlsMode>::set(conf::TlsMode::kOff);
  f.smart_hosts = RuleField<std::vector<conf::SmartHost>>::set({{"relay.example", 2525}});
  f.schedule = RuleField<std::vector<conf::Duration>>::set({14s});
  f.validity = RuleField<conf::Duration>::set(15s);
  f.jitter = RuleField<double>::set(0.5);
  conf::DestinationSettings verified = base();
  verified.tls = conf::TlsMode::kRequired;
  verified.tls_verify = true;
  const conf::DestinationSettings settings = settings_with(built(rule).get(), verified);
  EXPECT_EQ(settings.max_recipients_per_transaction, 90U);
  const conf::Timeouts& t = settings.timeouts;
  EXPECT_EQ(t.connect, 11s);
  EXPECT_EQ(t.data_done, 12s);
  for (const conf::Duration each : {t.greeting, t.ehlo, t.tls, t.mail, t.rcpt, t.data_init, t.data_block})
    EXPECT_EQ(each, 13s);
  EXPECT_EQ(t.quit, conf::Timeouts().quit);
  EXPECT_EQ(t.idle, conf::Timeouts().idle);
  EXPECT_EQ(settings.tls, conf::TlsMode::kRequired) << "no rule talks a verified destination down";
  EXPECT_TRUE(settings.tls_verify);
  conf::DestinationSettings unverified = base();
  unverified.tls = conf::TlsMode::kRequired;
  EXPECT_EQ(settings_with(built(rule).get(), unverified).tls, conf::TlsMode::kOff) << "a local rule may";
  ASSERT_EQ(settings.smart_hosts.size(), 1U);
  EXPECT_EQ(settings.smart_hosts[0].port, 2525);
  EXPECT_EQ(settings.retry.delays, (std::vector<conf::Duration>{14s}));
  EXPECT_EQ(settings.retry.validity, 15s);
  EXPECT_EQ(settings.retry.jitter, 0.5);
  conf::MxRule nothing;
  EXPECT_TRUE(settings_with(built(nothing).get(), verified).tls_verify);
  conf::DestinationSettings plain;
  plain.tls = conf::TlsMode::kRequired;
  conf::MxRule off;
  off.fields.tls = conf::RuleField<conf::TlsMode>::set(conf::TlsMode::kOff);
  EXPECT_EQ(settings_with(built(off).get(), plain).tls, conf::TlsMode::kOff);
}

}  // namespace
}  // namespace mx
