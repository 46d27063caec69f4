#include "bounce/relabel.h"

#include <gtest/gtest.h>

namespace bounce {
namespace {

using std::chrono::hours;

const conf::QuarantineSettings kSettings;
conf::WallTime at(int hour) { return conf::WallTime(hours(24'000 + hour)); }

AddressEvent error(ErrorType type, int hour) {
  AddressEvent event;
  event.at = at(hour);
  event.type = type;
  event.reason = static_cast<uint8_t>(type == ErrorType::kHard ? Reason::kUserUnknown : Reason::kUnreachable);
  return event;
}

AddressState after_all(const std::vector<AddressEvent>& events) {
  AddressState state;
  for (const AddressEvent& event : events) state = after(state, event, kSettings).state;
  return state;
}

Qualification meaning(ErrorType type, Scope scope, Reason reason) {
  Qualification out;
  out.type = type;
  out.scope = scope;
  out.reason = reason;
  return out;
}

const Qualification kOurs = meaning(ErrorType::kSoft, Scope::kSender, Reason::kRefused);
const Qualification kFull = meaning(ErrorType::kSoft, Scope::kRecipient, Reason::kMailboxFull);
const Qualification kGone = meaning(ErrorType::kHard, Scope::kRecipient, Reason::kUserUnknown);

TEST(Relabelled, AHardErrorThatWasOursLeavesNothing) {
  const auto state = relabelled(after_all({error(ErrorType::kHard, 0)}), kOurs, kSettings, at(9));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, AddressStatus::kValid);
  EXPECT_EQ(state->errors, 0U);
}

TEST(Relabelled, TheErrorsBeforeItStay) {
  const auto state = relabelled(after_all({error(ErrorType::kSoft, 0), error(ErrorType::kHard, 30)}), kOurs,
                                kSettings, at(40));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, AddressStatus::kWithErrors);
  EXPECT_EQ(state->errors, 1U);
}

TEST(Relabelled, AHardErrorThatIsSoftNowIsOneError) {
  const auto state = relabelled(after_all({error(ErrorType::kHard, 0)}), kFull, kSettings, at(9));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, AddressStatus::kWithErrors);
  EXPECT_EQ(state->errors, 1U);
  EXPECT_EQ(state->reason, static_cast<uint8_t>(Reason::kMailboxFull));
}

TEST(Relabelled, AFifthSoftErrorThatDoesNotCountLeavesFour) {
  std::vector<AddressEvent> events;
  for (int i = 0; i < 5; ++i) events.push_back(error(ErrorType::kSoft, 30 * i));
  const AddressState barred = after_all(events);
  ASSERT_EQ(barred.status, AddressStatus::kQuarantine);
  const auto state = relabelled(barred, kOurs, kSettings, at(200));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, AddressStatus::kWithErrors);
  EXPECT_EQ(state->errors, 4U);
  const auto full = relabelled(barred, kFull, kSettings, at(200));
  ASSERT_TRUE(full);
  EXPECT_EQ(full->status, AddressStatus::kQuarantine) << "five errors stay five";
}

TEST(Relabelled, ASoftErrorThatIsHardNowBarsUnlessAHardMustBeConfirmed) {
  const AddressState soft = after_all({error(ErrorType::kSoft, 0)});
  const auto state = relabelled(soft, kGone, kSettings, at(9));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, AddressStatus::kQuarantine);
  EXPECT_EQ(state->changed, at(9));
  conf::QuarantineSettings careful = kSettings;
  careful.second_hard_after = hours(72);
  const auto waiting = relabelled(soft, kGone, careful, at(9));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->status, AddressStatus::kWithErrors);
  EXPECT_EQ(waiting->first_hard, at(0));
}

TEST(Relabelled, WhatAnOperatorOrAComplaintSetStays) {
  EXPECT_FALSE(
      relabelled(set_by_operator(AddressStatus::kDenylisted, 8, at(0)).state, kOurs, kSettings, at(9)));
  EXPECT_FALSE(
      relabelled(set_by_operator(AddressStatus::kAllowlisted, 0, at(0)).state, kGone, kSettings, at(9)));
  EXPECT_FALSE(relabelled(after_all({error(ErrorType::kHard, 0)}), kGone, kSettings, at(9)))
      << "it says what it said";
}

}  // namespace
}  // namespace bounce
