// What an operator does with the ledger: look, set, import, export, release and undo. Works on the file
// itself, with the relay running or not; a running relay sees the changes within a second. Every change is a
// batch with a number that undo() takes back as a whole. Blocks on the disk; one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bounce/ledger/csv.h"
#include "bounce/ledger/sqlite_ledger.h"

namespace bounce {

struct AddressFilter {  // empty members: whatever it is
  std::optional<AddressStatus> status;
  std::optional<std::string> list;
  std::string address;          // one, folded
  conf::WallTime since, until;  // when the status changed; `until` the epoch: now
  std::string domain;           // mask on the domain of the address
  std::string site;             // mask on an MX host of the receiver
  std::optional<uint8_t> reason;
  std::string text;  // part of the error text, any case
  std::string rule;
  bool empty() const;
};

struct BatchDone {
  uint64_t batch = 0;  // 0: nothing was changed
  uint64_t changed = 0;
  uint64_t left = 0;                  // changed by somebody else meanwhile, or wrong: left alone
  bool decided = false;               // a wave was decided, or a decision about one taken back
  std::vector<std::string> problems;  // "row 7: ...", at most ten
};

// Addresses whose last counted error is read otherwise than it was.
struct RelabelDone {
  uint64_t leave = 0, enter = 0, reason = 0;  // the quarantine; only their reason or their count is another
  std::vector<std::pair<AddressRow, AddressState>> examples;  // at most ten, with what they become
  BatchDone done;                                             // what was written
};

struct HistoryLine {
  uint64_t sequence = 0, batch = 0;
  conf::WallTime at;
  std::string list, address, text, rule, site, by;
  AddressStatus before = AddressStatus::kUnknown, after = AddressStatus::kUnknown;
  uint8_t reason = 0;
  uint64_t message = 0;  // that met the error; 0: none did
};

class LedgerDesk {
 public:
  // `ledger` is borrowed. `by`: who does it, for the history.
  LedgerDesk(SqliteLedger* ledger, conf::QuarantineSettings settings, std::string by, conf::WallTime now)
      : ledger_(ledger), settings_(std::move(settings)), by_(std::move(by)), now_(now) {}

  conf::Result<uint64_t> count(const AddressFilter& filter);
  // The latest changes first; stops when `row` says false.
  conf::Status each(const AddressFilter& filter, const std::function<bool(const AddressRow&)>& row);
  // Sets addresses (text as it came) to a status; kValid removes them.
  conf::Result<BatchDone> set(const std::vector<std::string>& addresses, const std::string& list,
                              AddressStatus status, uint8_t reason, const std::string& text);
  // Back to valid: in this list, or in whichever list each address stands.
  conf::Result<BatchDone> remove(const std::vector<std::string>& addresses,
                                 const std::optional<std::string>& list);
  // Back to valid, what matches and is in quarantine (or as the filter says).
  conf::Result<BatchDone> release(AddressFilter filter);
  // `reading` gives what the text of a row means from now on, or nothing when it is read as it was. Rows that
  // an operator set are left alone. Without `apply` nothing is written.
  using Reading = std::function<std::optional<Qualification>(const AddressRow&)>;
  conf::Result<RelabelDone> relabel(const Reading& reading, bool apply);
  // The rows are as they were before the batch, where nobody changed them since. Of a decision about a wave:
  // it waits for one again, with its errors, and the relay that runs believes the site no longer.
  conf::Result<BatchDone> undo(uint64_t batch);
  // `read` gives bytes, "" at the end. The first row names the columns (address, status, reason, list, text;
  // in any order, only address is needed), or the file has one address a line.
  conf::Result<BatchDone> import(const std::function<std::string()>& read, AddressStatus status,
                                 const std::string& list);
  static std::string export_header();
  static void append_row(const AddressRow& row, std::string* out);
  // Of an address, of a batch, or of all (both empty); newest first.
  conf::Result<std::vector<HistoryLine>> history(const std::string& address, uint64_t batch, uint64_t limit);

  conf::Result<std::vector<HeldError>> held(uint64_t wave, uint64_t limit);
  // Of one address, folded; the latest first.
  conf::Result<std::vector<HeldError>> held_of(const std::string& address);
  // Was an outage: the held errors are forgotten. Not: they are applied as the Hard errors that they are.
  conf::Result<BatchDone> decide(uint64_t wave, bool was_outage);

  // An address as it stands in the ledger.
  conf::Result<std::string> spelled(std::string_view address) const;

 private:
  static void bind(const AddressFilter& filter, Statement* to);
  static constexpr const char* kRelabelling = "qualify";  // what such a batch is called
  uint64_t begin_batch(const std::string& what);
  void believe(const std::vector<HeldError>& errors, const std::string& site, BatchDone* done);
  bool take_back_decision(uint64_t batch, uint64_t by_batch);
  void keep_decision(uint64_t batch, uint64_t wave, WaveState before);
  conf::Result<BatchDone> end_batch(BatchDone done);
  conf::Result<std::vector<std::string>> spelled_all(const std::vector<std::string>& addresses) const;
  std::vector<std::string> lists_of(const std::string& address);
  void put(const std::string& list, const std::string& address, AddressStatus status, uint8_t reason,
           const std::string& text, BatchDone* done);
  bool import_row(const std::vector<std::string>& cells, const std::vector<std::string>& columns,
                  AddressStatus status, const std::string& list, BatchDone* done, std::string* problem);

  SqliteLedger* ledger_;
  conf::QuarantineSettings settings_;
  std::string by_;
  conf::WallTime now_;
};

}  // namespace bounce
