// A ledger in a file of its own, and what tests tell it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bounce/ledger/sqlite_desk.h"
#include "bounce/ledger/sqlite_ledger.h"
#include "bounce/reason.h"
#include "tests/temporary_folder.h"

namespace bounce {

constexpr conf::WallTime kBegin = conf::WallTime(conf::Duration(1'790'000'000'000'000));
inline const conf::QuarantineSettings kSettings;

class LedgerRig : public testing::Test {
 protected:
  std::unique_ptr<SqliteLedger> open() {
    auto ledger = SqliteLedger::open(path_, kBegin, &warning_);
    EXPECT_TRUE(ledger.ok()) << (ledger.ok() ? "" : ledger.error().detail);
    return ledger.ok() ? std::move(ledger).value() : nullptr;
  }
  static AddressSignal error(const std::string& address, ErrorType type, conf::WallTime at,
                             uint64_t identity = 0) {
    AddressSignal signal;
    signal.identity = identity;
    signal.address = address;
    signal.event.at = at;
    signal.event.type = type;
    signal.event.reason =
        static_cast<uint8_t>(type == ErrorType::kHard ? Reason::kUserUnknown : Reason::kUnreachable);
    signal.text = "550 5.1.1 no such user";
    signal.rule = "user-unknown";
    signal.site = "mx1.example.net,mx2.example.net";
    signal.mx_host = "mx1.example.net";
    return signal;
  }
  static AddressStatus status_of(Ledger* ledger, const std::string& address, const std::string& list = "") {
    const auto row = ledger->find(list, address);
    return row.ok() && row.value() ? row.value()->state.status : AddressStatus::kUnknown;
  }
  static BatchDone import(LedgerDesk* desk, std::string text,
                          AddressStatus status = AddressStatus::kQuarantine) {
    auto done = desk->import([&text] { return std::exchange(text, {}); }, status, "");
    EXPECT_TRUE(done.ok());
    return done.ok() ? std::move(done).value() : BatchDone();
  }
  static void apply(Ledger* ledger, std::vector<AddressSignal> signals) {
    LedgerBatch batch;
    batch.signals = std::move(signals);
    const conf::Status status = ledger->apply(batch, kSettings);
    ASSERT_TRUE(status.ok()) << status.error().detail;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "ledger.db", warning_;
};

}  // namespace bounce
