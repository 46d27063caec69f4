// What waves hold back, and what becomes of it by an operator's decision.
#include <gtest/gtest.h>

#include "tests/bounce/ledger/ledger_rig.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;

using WavesTest = LedgerRig;

TEST_F(WavesTest, AWaveHoldsErrorsAndTakesBackTheFirst) {
  const auto ledger = open();
  apply(ledger.get(), {error("before@x.example", ErrorType::kHard, kBegin - 1h),
                       error("one@x.example", ErrorType::kHard, kBegin + 1s),
                       error("soft@x.example", ErrorType::kSoft, kBegin - 50h)});
  apply(ledger.get(), {error("soft@x.example", ErrorType::kHard, kBegin + 2s)});
  LedgerBatch batch;
  Wave wave;
  wave.id = 4;
  wave.site = "mx1.example.net,mx2.example.net";
  wave.began = kBegin;
  wave.declared = wave.last = kBegin + 10s;
  batch.waves.push_back(wave);
  AddressSignal held = error("two@x.example", ErrorType::kHard, kBegin + 11s);
  held.held_by = 4;
  batch.signals.push_back(held);
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  EXPECT_EQ(status_of(ledger.get(), "before@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status_of(ledger.get(), "one@x.example"), AddressStatus::kUnknown);
  EXPECT_EQ(status_of(ledger.get(), "soft@x.example"), AddressStatus::kWithErrors);
  EXPECT_EQ(status_of(ledger.get(), "two@x.example"), AddressStatus::kUnknown);
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 1h);
  EXPECT_EQ(desk.held(4, 100)->size(), 3U);
  auto confirmed = desk.decide(4, false);
  EXPECT_EQ(confirmed->changed, 3U);
  EXPECT_EQ(status_of(ledger.get(), "two@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(ledger->waves().value().front().state, WaveState::kConfirmed);
  EXPECT_FALSE(desk.decide(4, true)->problems.empty());  // once is enough
  auto undone = desk.undo(confirmed->batch);
  EXPECT_EQ(undone->changed, 3U);
  EXPECT_EQ(status_of(ledger.get(), "two@x.example"), AddressStatus::kUnknown);
  EXPECT_EQ(ledger->waves().value().front().state, WaveState::kOpen) << "the decision went with it";
  // A relay that has not heard of it yet says what it was told before.
  batch.signals.clear();
  batch.waves.front().state = WaveState::kConfirmed;
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  EXPECT_EQ(ledger->waves().value().front().state, WaveState::kOpen);
  int held_again = 0;
  ASSERT_TRUE(ledger->each_held(0, [&held_again](const std::string& /*address*/) { ++held_again; }).ok());
  EXPECT_EQ(held_again, 3);
  EXPECT_EQ(desk.undo(undone->batch)->changed, 3U);  // after all
  EXPECT_EQ(status_of(ledger.get(), "two@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(ledger->waves().value().front().state, WaveState::kConfirmed);
}

TEST_F(WavesTest, AWaveThatWasReleasedByMistakeIsDecidedAgain) {
  const auto ledger = open();
  LedgerBatch batch;
  Wave wave;
  wave.id = 1;
  wave.site = "mx1.example.net";
  wave.state = WaveState::kEnded;
  wave.began = wave.declared = wave.last = kBegin;
  batch.waves.push_back(wave);
  for (const char* address : {"dead@x.example", "alive@x.example"}) {
    batch.signals.push_back(error(address, ErrorType::kHard, kBegin + 1s));
    batch.signals.back().held_by = 1;
  }
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 1h);
  auto released = desk.decide(1, true);
  ASSERT_NE(released->batch, 0U);
  AddressSignal took = error("alive@x.example", ErrorType::kHard, kBegin + 2h);
  took.event.kind = AddressEventKind::kDelivered;
  apply(ledger.get(), {took});
  EXPECT_TRUE(desk.undo(released->batch)->problems.empty());
  EXPECT_EQ(ledger->waves().value().front().state, WaveState::kEnded);
  EXPECT_EQ(desk.decide(1, false)->changed, 1U);
  EXPECT_EQ(status_of(ledger.get(), "dead@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status_of(ledger.get(), "alive@x.example"), AddressStatus::kUnknown);
}

}  // namespace
}  // namespace bounce
