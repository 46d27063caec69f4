#include "bounce/quarantine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conf/vocab/random.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::WallTime;

constexpr WallTime kBegin = WallTime(Duration(1'790'000'000'000'000));

// A life in one line: "soft@0h soft@29h ok@31h". Hours or minutes after the beginning.
struct Happening {
  const char* what;  // "hard", "soft", "ignored", "ok", "complaint", "soft5" (mailbox full), "hard5"
  double hours;
  Scope scope = Scope::kRecipient;
};

AddressEvent event_of(const Happening& happening) {
  const std::string what = happening.what;
  AddressEvent event;
  event.at = kBegin + Duration(static_cast<int64_t>(happening.hours * 3.6e9));
  event.scope = happening.scope;
  event.reason = what.find("soft") == 0 ? 3 : 1;
  if (what == "ok") event.kind = AddressEventKind::kDelivered;
  if (what == "complaint") {
    event.kind = AddressEventKind::kComplaint;
    event.reason = 20;
  }
  if (what.find("hard") == 0) event.type = ErrorType::kHard;
  if (what == "ignored") event.type = ErrorType::kIgnored;
  if (what.back() == '5') event.reason = kReasonMailboxFull;
  if (what == "new") event.unqualified = true;
  return event;
}

AddressState live(const std::vector<Happening>& life, const conf::QuarantineSettings& settings = {},
                  AddressState state = {}) {
  for (const Happening& happening : life) state = after(state, event_of(happening), settings).state;
  return state;
}

AddressState later(const AddressState& state, double hours, const conf::QuarantineSettings& settings = {}) {
  return at_time(state, kBegin + Duration(static_cast<int64_t>(hours * 3.6e9)), settings);
}

struct Case {
  const char* name;
  std::vector<Happening> life;
  AddressStatus status;
  uint32_t errors;
};

TEST(QuarantineTest, LivesOfAddresses) {
  using S = AddressStatus;
  const std::vector<Case> cases = {
      {"hard at once", {{"hard", 0}}, S::kQuarantine, 1},
      {"one soft", {{"soft", 0}}, S::kWithErrors, 1},
      {"less than a day apart counts once", {{"soft", 0}, {"soft", 1}, {"soft", 23}}, S::kWithErrors, 1},
      {"a day minus jitter counts", {{"soft", 0}, {"soft", 23.95}}, S::kWithErrors, 2},
      {"a day minus more than the tolerance does not", {{"soft", 0}, {"soft", 23.9}}, S::kWithErrors, 1},
      {"the shipped schedule reaches five",
       {{"soft", 0},
        {"soft", 1},
        {"soft", 2},
        {"soft", 3},
        {"soft", 4},
        {"soft", 5},
        {"soft", 29},
        {"soft", 53},
        {"soft", 77},
        {"soft", 101}},
       S::kQuarantine,
       5},
      {"four are not five", {{"soft", 0}, {"soft", 29}, {"soft", 53}, {"soft", 77}}, S::kWithErrors, 4},
      {"unqualified behaves as soft",
       {{"new", 0}, {"new", 29}, {"new", 53}, {"new", 77}, {"new", 101}},
       S::kQuarantine,
       5},
      {"a success resets", {{"soft", 0}, {"soft", 29}, {"soft", 53}, {"soft", 77}, {"ok", 78}}, S::kValid, 0},
      {"after a success it begins at one",
       {{"soft", 0}, {"soft", 29}, {"ok", 30}, {"soft", 31}},
       S::kWithErrors,
       1},
      {"ten clean days reset", {{"soft", 0}, {"soft", 24}, {"soft", 24 + 240}}, S::kWithErrors, 1},
      {"less than ten clean days go on",
       {{"soft", 0}, {"soft", 24}, {"soft", 24 + 239.9}},
       S::kWithErrors,
       3},
      {"mailbox full is kept for thirty", {{"soft5", 0}, {"soft5", 719}}, S::kWithErrors, 2},
      {"and no longer", {{"soft5", 0}, {"soft5", 720}}, S::kWithErrors, 1},
      {"ignored never counts", {{"ignored", 0}, {"ignored", 50}}, S::kUnknown, 0},
      {"complaint", {{"complaint", 0}}, S::kDenylisted, 0},
      {"a complaint outranks quarantine", {{"hard", 0}, {"complaint", 1}}, S::kDenylisted, 1},
      {"denylisted stays so", {{"complaint", 0}, {"ok", 1}, {"soft", 2}, {"hard", 9000}}, S::kDenylisted, 0},
      {"a success lifts no quarantine", {{"hard", 0}, {"ok", 1}}, S::kQuarantine, 1},
      {"years lift no quarantine", {{"hard", 0}, {"ok", 30000}}, S::kQuarantine, 1},
      {"a site's refusal", {{"hard", 0, Scope::kSite}}, S::kUnknown, 0},
      {"a sender's refusal", {{"hard", 0, Scope::kSender}}, S::kUnknown, 0},
      {"a message's refusal", {{"hard", 0, Scope::kMessage}}, S::kUnknown, 0},
      {"a connection's refusal", {{"soft", 0, Scope::kConnection}}, S::kUnknown, 0},
      {"a clock that went back", {{"soft", 10}, {"soft", 1}}, S::kWithErrors, 1},
      {"a clock that was a year ahead", {{"soft", 9000}, {"soft", 1}, {"soft", 26}}, S::kWithErrors, 3},
  };
  for (const Case& c : cases) {
    const AddressState state = live(c.life);
    EXPECT_EQ(to_text(state.status), std::string(to_text(c.status))) << c.name;
    EXPECT_EQ(state.errors, c.errors) << c.name;
  }
}

TEST(QuarantineTest, TimeAloneClearsOnlyWhatItMay) {
  EXPECT_EQ(later(live({{"soft", 0}}), 239.9).status, AddressStatus::kWithErrors);
  EXPECT_EQ(later(live({{"soft", 0}}), 240).status, AddressStatus::kValid);
  const std::vector<Happening> full = {
      {"soft5", 0}, {"soft5", 24}, {"soft5", 48}, {"soft5", 72}, {"soft5", 96}};
  EXPECT_EQ(live(full).status, AddressStatus::kQuarantine);
  EXPECT_EQ(later(live(full), 96 + 719).status, AddressStatus::kQuarantine);
  EXPECT_EQ(later(live(full), 96 + 720).status, AddressStatus::kValid);
  EXPECT_EQ(later(live({{"hard", 0}}), 1e6).status, AddressStatus::kQuarantine);
  EXPECT_EQ(later(live({{"complaint", 0}}), 1e6).status, AddressStatus::kDenylisted);
}

TEST(QuarantineTest, AHardMakesTheQuarantineOfAFullMailboxLasting) {
  std::vector<Happening> life = {{"soft5", 0}, {"soft5", 24}, {"soft5", 48}, {"soft5", 72}, {"soft5", 96}};
  life.push_back({"soft", 100});  // says nothing of the mailbox: neither longer nor shorter
  EXPECT_EQ(later(live(life), 96 + 720).status, AddressStatus::kValid);
  life.push_back({"soft5", 120});  // still full: its days begin again
  EXPECT_EQ(later(live(life), 119 + 720).status, AddressStatus::kQuarantine);
  life.push_back({"hard", 130});
  EXPECT_EQ(later(live(life), 1e6).status, AddressStatus::kQuarantine);
  // A full mailbox never shortens a quarantine that a Hard made.
  EXPECT_EQ(later(live({{"hard", 0}, {"soft5", 1}}), 1e6).status, AddressStatus::kQuarantine);
}

TEST(QuarantineTest, AllowlistedIsNeverMoved) {
  const AddressState allowed = set_by_operator(AddressStatus::kAllowlisted, 0, kBegin).state;
  const AddressState state = live({{"hard", 1}, {"soft", 30}, {"complaint", 60}, {"ok", 90}}, {}, allowed);
  EXPECT_EQ(state.status, AddressStatus::kAllowlisted);
  EXPECT_EQ(state.reason, kReasonErrorIgnored);
  EXPECT_EQ(state.errors, 0U);
}

TEST(QuarantineTest, ASecondHardDaysLaterWhenAskedFor) {
  conf::QuarantineSettings settings;
  settings.second_hard_after = 72h;
  EXPECT_EQ(live({{"hard", 0}}, settings).status, AddressStatus::kWithErrors);
  EXPECT_EQ(live({{"hard", 0}, {"hard", 71}}, settings).status, AddressStatus::kWithErrors);
  EXPECT_EQ(live({{"hard", 0}, {"hard", 72}}, settings).status, AddressStatus::kQuarantine);
  // The wave that answered 550 for hours: everybody is back to valid with the next delivery.
  EXPECT_EQ(live({{"hard", 0}, {"hard", 3}, {"ok", 20}}, settings).status, AddressStatus::kValid);
  EXPECT_EQ(live({{"hard", 0}, {"ok", 20}, {"hard", 80}}, settings).status, AddressStatus::kWithErrors);
  // Unconfirmed ones alone never fill the counter, however long N is.
  settings.second_hard_after = 480h;
  const std::vector<Happening> daily = {{"hard", 0},  {"hard", 24},  {"hard", 48}, {"hard", 72},
                                        {"hard", 96}, {"hard", 120}, {"hard", 144}};
  EXPECT_EQ(live(daily, settings).status, AddressStatus::kWithErrors);
  // The row outlives the ten clean days, or the second one would always be a first.
  EXPECT_EQ(live({{"hard", 0}, {"hard", 500}}, settings).status, AddressStatus::kQuarantine);
}

TEST(QuarantineTest, NumbersAreKeys) {
  conf::QuarantineSettings settings;
  settings.max_errors = 2;
  settings.error_interval = 1h;
  settings.error_tolerance = 0s;
  settings.clean_after = 10h;
  EXPECT_EQ(live({{"soft", 0}, {"soft", 0.99}}, settings).errors, 1U);
  EXPECT_EQ(live({{"soft", 0}, {"soft", 1}}, settings).status, AddressStatus::kQuarantine);
  EXPECT_EQ(live({{"soft", 0}, {"soft", 10}}, settings).status, AddressStatus::kWithErrors);
  settings.count_unqualified = false;
  EXPECT_EQ(live({{"new", 0}, {"new", 1}}, settings).status, AddressStatus::kUnknown);
}

TEST(QuarantineTest, OneSpellingPerAddress) {
  const auto mailbox = conf::Mailbox::parse("Ann.B@EXAMPLE.Org");
  ASSERT_TRUE(mailbox.ok());
  EXPECT_EQ(folded(mailbox.value(), true), "ann.b@example.org");
  EXPECT_EQ(folded(mailbox.value(), false), "Ann.B@example.org");
}

// A second reading of the rules: it keeps the whole life and goes through it from the end.
AddressStatus by_history(const std::vector<AddressEvent>& life, const conf::QuarantineSettings& settings,
                         WallTime now, uint32_t* errors) {
  std::vector<WallTime> counted;
  uint8_t reason = 0;
  AddressStatus barred = AddressStatus::kUnknown;
  WallTime last{};
  const auto lapse = [&](WallTime at) {
    const Duration keep = reason == kReasonMailboxFull ? settings.mailbox_full_after : settings.clean_after;
    const bool may = barred == AddressStatus::kUnknown ||
                     (barred == AddressStatus::kQuarantine && reason == kReasonMailboxFull);
    if (may && last != WallTime{} && at - last >= keep) {
      counted.clear();
      barred = AddressStatus::kUnknown;
      last = WallTime{};
      reason = 0;
    }
  };
  for (const AddressEvent& event : life) {
    lapse(event.at);
    if (event.kind == AddressEventKind::kComplaint) barred = AddressStatus::kDenylisted;
    if (event.kind == AddressEventKind::kDelivered && barred == AddressStatus::kUnknown) {
      counted.clear();
      last = WallTime{};
    }
    if (event.kind != AddressEventKind::kError || event.scope != Scope::kRecipient) continue;
    if (event.type == ErrorType::kIgnored || barred == AddressStatus::kDenylisted) continue;
    const bool hard = event.type == ErrorType::kHard;
    if (barred == AddressStatus::kQuarantine) {
      if (reason != kReasonMailboxFull || (!hard && event.reason != kReasonMailboxFull)) continue;
      reason = event.reason;
      last = event.at;
      continue;
    }
    if (!hard && !counted.empty() && event.at - last < settings.error_interval - settings.error_tolerance)
      continue;
    counted.push_back(event.at);
    last = event.at;
    reason = event.reason;
    if (hard || counted.size() >= settings.max_errors) barred = AddressStatus::kQuarantine;
  }
  lapse(now);
  *errors = static_cast<uint32_t>(counted.size());
  if (barred != AddressStatus::kUnknown) return barred;
  return counted.empty() ? AddressStatus::kValid : AddressStatus::kWithErrors;
}

TEST(QuarantineTest, AgreesWithAReadingOfTheWholeHistoryOverWeeks) {
  conf::QuarantineSettings settings;
  int quarantined = 0, clean = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    conf::Random random(seed);
    std::vector<AddressEvent> life;
    AddressState state;
    WallTime at = kBegin;
    const double bad = random.unit();
    for (int i = 0; i < 60; ++i) {
      // Around the borders: an hour, a day, ten days, thirty days; each with some jitter.
      constexpr std::array<int64_t, 6> kSteps = {60, 3600, 86'100, 86'400, 864'000, 2'592'000};
      at += Duration((kSteps[random.below(kSteps.size())] + static_cast<int64_t>(random.below(400)) - 100) *
                     1'000'000);
      AddressEvent event;
      event.at = at;
      if (!random.chance(bad)) event.kind = AddressEventKind::kDelivered;
      if (random.chance(0.002)) event.kind = AddressEventKind::kComplaint;
      event.type = random.chance(0.03) ? ErrorType::kHard
                                       : (random.chance(0.2) ? ErrorType::kIgnored : ErrorType::kSoft);
      event.scope = random.chance(0.2) ? Scope::kSender : Scope::kRecipient;
      event.reason = event.type != ErrorType::kHard && random.chance(0.5) ? kReasonMailboxFull : 3;
      life.push_back(event);
      state = after(state, event, settings).state;
      uint32_t errors = 0;
      AddressStatus expected = by_history(life, settings, at, &errors);
      const AddressStatus found = at_time(state, at, settings).status;
      const bool both_clean = expected == AddressStatus::kValid && found == AddressStatus::kUnknown;
      ASSERT_TRUE(found == expected || both_clean)
          << "seed " << seed << " event " << i << ": " << to_text(found) << ", not " << to_text(expected);
      if (found == AddressStatus::kWithErrors) {
        ASSERT_EQ(state.errors, errors) << "seed " << seed;
      }
    }
    quarantined += state.status == AddressStatus::kQuarantine ? 1 : 0;
    clean += state.status == AddressStatus::kValid || state.status == AddressStatus::kUnknown ? 1 : 0;
  }
  EXPECT_GT(quarantined, 100);  // the lives are worth looking at
  EXPECT_GT(clean, 100);
}

}  // namespace
}  // namespace bounce
