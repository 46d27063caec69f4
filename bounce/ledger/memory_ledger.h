// The ledger in memory, for tests and the simulation. What apply() took counts as written. One
// thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bounce/ledger/ledger.h"

namespace bounce {

class MemoryLedger final : public Ledger {
 public:
  conf::Status apply(const LedgerBatch& batch, const conf::QuarantineSettings& settings) override;
  conf::Result<uint64_t> sweep(conf::WallTime now, const conf::QuarantineSettings& settings,
                               uint64_t limit) override;
  conf::Result<std::optional<AddressRow>> find(const std::string& list, const std::string& address) override;
  conf::Result<uint64_t> each(const std::function<void(const StatusChange&)>& row) override;
  conf::Result<std::vector<StatusChange>> changes(uint64_t after, uint64_t limit) override;

  const std::map<TallyKey, uint64_t>& tallies() const { return tallies_; }
  const std::vector<AddressSignal>& held() const { return held_; }

 private:
  using Key = std::pair<std::string, std::string>;  // list, address
  void write(const Key& key, const AddressRow& row);

  std::map<Key, AddressRow> rows_;
  std::set<uint64_t> applied_;
  std::vector<StatusChange> history_;
  std::map<TallyKey, uint64_t> tallies_;
  std::vector<AddressSignal> held_;
};

}  // namespace bounce
