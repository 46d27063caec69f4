// Keeps the ledger beside the loop: statuses and the outage guard in memory on the loop's thread, the file on
// a thread of its own that writes what is waiting in batches. The loop never waits for the disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "bounce/ledger/known_addresses.h"
#include "bounce/ledger/sqlite_ledger.h"
#include "bounce/quarantine_book.h"

namespace bounce {

struct KeeperCounts {  // since start, but for the first two
  uint64_t rows = 0;   // in memory
  uint64_t open_waves = 0;
  uint64_t written = 0;  // signals
  uint64_t waiting = 0;  // signals that are not in the file yet
  uint64_t lost = 0;     // signals that found no room: the file could not be written for long
  uint64_t held = 0;     // Hard errors that the guard held back
  uint64_t given = 0;    // signals that were given to it: written, waiting or lost
};

class LedgerKeeper final : public QuarantineBook {
 public:
  struct Options {
    std::string path;
    conf::QuarantineSettings settings;
    conf::OutageGuardSettings guard;
    const conf::Clock* clock = nullptr;
    std::function<void()> wake;                   // from the thread: step() has something to do
    std::function<void(const std::string&)> say;  // for the operator; from both threads
    // On the loop's thread: the file has a new status, not by an operator; a wave begins. May be empty.
    std::function<void(const StatusChange&)> moved;
    std::function<void(const Wave&)> declared;
  };
  // Reads all rows: seconds with millions. A damaged file is set aside, see SqliteLedger::open.
  static conf::Result<std::unique_ptr<LedgerKeeper>> open(Options options);
  ~LedgerKeeper() override;  // writes what is left

  // All on the loop's thread.
  AddressStanding standing(const conf::Mailbox& recipient, std::string_view sender_domain,
                           std::string_view user) const override;
  void delivered(const AddressOutcome& outcome) override;
  bool refused(const AddressOutcome& outcome, const Qualification& meaning) override;
  void retold(const AddressOutcome& outcome, const Qualification& meaning) override;
  void complained(const AddressOutcome& outcome, Reason reason) override;
  void count(Outcome what, const AddressOutcome& outcome, const Qualification* meaning) override;
  void step();  // takes what the thread found: changes of statuses, decisions about waves
  void reload(const conf::QuarantineSettings& settings, const conf::OutageGuardSettings& guard);
  KeeperCounts counts() const;

 private:
  class Thread;
  explicit LedgerKeeper(Options options);
  static conf::Result<std::unique_ptr<LedgerKeeper>> open_once(Options options);
  std::string_view list_for(const AddressOutcome& outcome) const;
  AddressSignal signal_of(const AddressOutcome& outcome) const;
  AddressSignal error_of(const AddressOutcome& outcome, const Qualification& meaning) const;
  GuardVerdict judge(const AddressOutcome& outcome, uint64_t key);
  void put(AddressSignal signal);

  Options options_;
  SipKey key_{};
  std::unique_ptr<class AddressTable> table_;
  bool has_lists_ = false;  // some row is not in everybody's list
  KnownAddresses known_;
  OutageGuard guard_;
  std::unordered_set<uint64_t> held_addresses_;  // by waves that nobody decided
  uint64_t held_ = 0, given_ = 0;
  conf::WallTime guard_told_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace bounce
