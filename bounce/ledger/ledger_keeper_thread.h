// The thread of the keeper. For ledger_keeper*.cc.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "bounce/ledger/ledger_keeper.h"

namespace bounce {

class LedgerKeeper::Thread {
 public:
  Thread(Options options, std::unique_ptr<SqliteLedger> ledger, const KnownAddresses* known,
         uint64_t sequence);
  ~Thread();

  // From the loop.
  void put(AddressSignal signal);
  void put(const TallyKey& key, std::string_view text);
  void put(std::vector<Wave> waves, std::vector<std::pair<std::string, SiteHistory>> sites);
  void reload(const conf::QuarantineSettings& settings);
  std::vector<StatusChange> take_changes(size_t most, bool* more);  // oldest first
  // Of an operator about a wave. Undecided: he took it back, and the wave holds these addresses again.
  struct Decision {
    Wave wave;
    std::vector<std::string> held;
  };
  std::vector<Decision> take_decisions();
  KeeperCounts counts() const;

 private:
  void run();
  bool write(LedgerBatch* batch, const conf::QuarantineSettings& settings);
  bool write_rest(LedgerBatch* batch);
  void read_changes();
  void read_decisions();
  void upkeep(conf::WallTime now, const conf::QuarantineSettings& settings);
  bool has_work() const { return !pending_.empty() || !waves_.empty() || !sites_.empty(); }  // mutex_ is held
  LedgerBatch take(std::unique_lock<std::mutex>* lock);

  const Options options_;
  std::unique_ptr<SqliteLedger> ledger_;  // the thread's, once it runs
  const KnownAddresses* known_;
  uint64_t sequence_;                   // changes up to here were told
  std::map<uint64_t, WaveState> told_;  // waves whose decision was told
  conf::WallTime kept_;                 // the last upkeep
  conf::WallTime complained_;           // when the operator was told last of a failure

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  conf::QuarantineSettings settings_;
  LedgerBatch
      pending_;  // without what has a map here: of that the newest counts, however long the disk is full
  std::map<uint64_t, Wave> waves_;
  std::map<std::string, SiteHistory> sites_;
  std::map<TallyKey, uint64_t> tallies_;
  std::map<std::pair<int64_t, std::string>, uint64_t> texts_;
  std::deque<StatusChange> changes_;
  std::vector<Decision> decisions_;
  KeeperCounts counts_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace bounce
