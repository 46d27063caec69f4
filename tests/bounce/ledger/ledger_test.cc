#include "bounce/ledger/ledger.h"

#include <gtest/gtest.h>

namespace bounce {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

AddressSignal signal(AddressEventKind kind, ErrorType type) {
  AddressSignal out;
  out.address = "a@b.example";
  out.event.kind = kind;
  out.event.type = type;
  out.event.at = conf::WallTime(1'790'000'000s);
  out.text = "550 5.1.1 no such user";
  out.site = "mx.b.example";
  return out;
}

TEST(RowAfter, AnErrorMakesARowAndADeliveryToAnUnknownAddressNone) {
  EXPECT_FALSE(row_after(nullptr, signal(AddressEventKind::kDelivered, ErrorType::kSoft), {}));
  const auto row = row_after(nullptr, signal(AddressEventKind::kError, ErrorType::kHard), {});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->state.status, AddressStatus::kQuarantine);
  EXPECT_EQ(row->address, "a@b.example");
  EXPECT_EQ(row->text, "550 5.1.1 no such user");
  EXPECT_EQ(row->by, "automatic");
}

TEST(RowAfter, WhoAllowedAnAddressStaysOnRecord) {
  AddressRow allowed;
  allowed.state.status = AddressStatus::kAllowlisted;
  allowed.by = "anna";
  const auto row = row_after(&allowed, signal(AddressEventKind::kError, ErrorType::kHard), {});
  if (row) {
    EXPECT_EQ(row->state.status, AddressStatus::kAllowlisted);
    EXPECT_EQ(row->by, "anna");
  }
  ASSERT_TRUE(row) << "the error of an allowed address is recorded";
}

}  // namespace
}  // namespace bounce
