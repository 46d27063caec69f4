#include "bounce/ledger/memory_ledger.h"

#include <algorithm>

namespace bounce {

void MemoryLedger::write(const Key& key, const AddressRow& row) {
  history_.push_back({history_.size() + 1, key.first, key.second, row.state.status, row.state.reason,
                      row.by == "automatic"});
  if (row.state.status == AddressStatus::kValid || row.state.status == AddressStatus::kUnknown) {
    rows_.erase(key);
  } else {
    rows_[key] = row;
  }
}

conf::Status MemoryLedger::apply(const LedgerBatch& batch, const conf::QuarantineSettings& settings) {
  for (const AddressSignal& signal : batch.signals) {
    if (signal.identity != 0 && !applied_.insert(signal.identity).second) continue;
    if (signal.held_by != 0) {
      held_.push_back(signal);
      continue;
    }
    const Key key(signal.list, signal.address);
    const auto found = rows_.find(key);
    const std::optional<AddressRow> row =
        row_after(found == rows_.end() ? nullptr : &found->second, signal, settings);
    if (row) write(key, *row);
  }
  for (const Tally& tally : batch.tallies) tallies_[tally.key] += tally.count;
  return conf::success();
}

conf::Result<uint64_t> MemoryLedger::sweep(conf::WallTime now, const conf::QuarantineSettings& settings,
                                           uint64_t limit) {
  std::vector<AddressRow> lapsed;
  for (const auto& [key, row] : rows_) {
    AddressRow next = row;
    next.state = at_time(row.state, now, settings);
    if (next.state != row.state && lapsed.size() < limit) lapsed.push_back(next);
  }
  for (const AddressRow& row : lapsed) write({row.list, row.address}, row);
  return static_cast<uint64_t>(lapsed.size());
}

conf::Result<std::optional<AddressRow>> MemoryLedger::find(const std::string& list,
                                                           const std::string& address) {
  const auto found = rows_.find({list, address});
  if (found == rows_.end()) return std::optional<AddressRow>();
  return std::optional<AddressRow>(found->second);
}

conf::Result<uint64_t> MemoryLedger::each(const std::function<void(const StatusChange&)>& row) {
  for (const auto& [key, found] : rows_)
    row({history_.size(), key.first, key.second, found.state.status, found.state.reason});
  return static_cast<uint64_t>(history_.size());
}

conf::Result<std::vector<StatusChange>> MemoryLedger::changes(uint64_t after, uint64_t limit) {
  const uint64_t begin = std::min<uint64_t>(after, history_.size());
  const uint64_t end = std::min<uint64_t>(history_.size(), begin + limit);
  return std::vector<StatusChange>(history_.begin() + static_cast<std::ptrdiff_t>(begin),
                                   history_.begin() + static_cast<std::ptrdiff_t>(end));
}

}  // namespace bounce
