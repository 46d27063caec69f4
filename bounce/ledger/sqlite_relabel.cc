// The past follows a change of what texts mean.
#include "bounce/ledger/sqlite_desk.h"
#include "bounce/relabel.h"

namespace bounce {

namespace {

constexpr size_t kExamples = 10;

struct Change {
  AddressRow before;
  AddressState after;
};

void tell(const AddressState& before, const AddressState& after, RelabelDone* done) {
  const bool was = before.status == AddressStatus::kQuarantine;
  const bool is = after.status == AddressStatus::kQuarantine;
  if (was && !is) {
    ++done->leave;
  } else if (is && !was) {
    ++done->enter;
  } else {
    ++done->reason;
  }
}

}  // namespace

conf::Result<RelabelDone> LedgerDesk::relabel(const Reading& reading, bool apply) {
  RelabelDone out;
  std::vector<Change> changes;
  for (const AddressStatus status : {AddressStatus::kQuarantine, AddressStatus::kWithErrors}) {
    AddressFilter filter;
    filter.status = status;
    const conf::Status read = each(filter, [&](const AddressRow& row) {
      if (row.by != "automatic") return true;
      const std::optional<Qualification> meaning = reading(row);
      if (!meaning) return true;
      const std::optional<AddressState> state = relabelled(row.state, *meaning, settings_, now_);
      if (!state) return true;
      tell(row.state, *state, &out);
      if (out.examples.size() < kExamples) out.examples.emplace_back(row, *state);
      if (apply) changes.push_back({row, *state});
      return true;
    });
    if (!read.ok()) return read.error();
  }
  if (!apply || changes.empty()) return out;
  BatchDone done;
  done.batch = begin_batch(kRelabelling);
  for (const Change& change : changes) {
    // A relay that runs may have moved it meanwhile: that is newer than what was counted.
    const std::optional<AddressRow> present = ledger_->read(change.before.list, change.before.address);
    if (!present || present->state != change.before.state) {
      ++done.left;
      continue;
    }
    AddressRow row = change.before;
    row.state = change.after;
    ledger_->write(&change.before, row, now_, done.batch, by_);  // the row is as automatic as before
    ++done.changed;
  }
  conf::Result<BatchDone> ended = end_batch(std::move(done));
  if (!ended.ok()) return ended.error();
  out.done = std::move(ended).value();
  return out;
}

}  // namespace bounce
