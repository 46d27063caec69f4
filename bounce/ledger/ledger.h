// The ledger: what is kept of addresses, waves, sites and outcomes, over restarts. sqlite_ledger keeps it in
// a file, memory_ledger in memory for tests. A batch is one transaction: all of it holds, or nothing. Not for
// the loop: every call may wait for the disk. One thread at a time per object; several processes may have the
// same file open.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bounce/outage_guard.h"
#include "bounce/quarantine.h"
#include "bounce/quarantine_book.h"
#include "conf/vocab/result.h"

namespace bounce {

inline constexpr size_t kKeptText = 512;  // octets of a reply

struct AddressRow {
  std::string list;     // "" is everybody's; else a sender domain or a user
  std::string address;  // folded
  AddressState state;
  conf::WallTime created;
  std::string text;  // of the last counted error
  std::string rule;  // that qualified it
  std::string site;  // MX hosts of the receiver
  std::string mx_host;
  std::string by;        // "automatic", or who set it
  uint64_t message = 0;  // that met the last counted error; 0: none did
};

// Something happened to an address. `identity` names the event for good (message, recipient, attempt): what
// was applied once is not applied again, whatever is told again after a crash. 0: has no name.
struct AddressSignal {
  uint64_t identity = 0;
  std::string list, address;
  AddressEvent event;
  std::string text, rule, site, mx_host;
  uint64_t message = 0;  // 0: none
  uint64_t held_by = 0;  // a wave: the error is put aside, the address stays where it is
};

// Recipients, per hour. The key of one line of a report.
struct TallyKey {
  int64_t hour = 0;     // since the epoch
  uint8_t outcome = 0;  // Outcome
  uint8_t reason = 0;
  uint8_t type = 0;  // ErrorType
  std::string site, source, sender_domain;
  auto operator<=>(const TallyKey&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm
};
struct Tally {
  TallyKey key;
  uint64_t count = 0;
};
struct TextTally {  // the refusals of an hour with one text
  int64_t hour = 0;
  std::string text;
  uint64_t count = 0;
};

struct LedgerBatch {
  std::vector<AddressSignal> signals;
  std::vector<Tally> tallies;
  std::vector<TextTally> texts;
  std::vector<Wave> waves;  // new or changed
  std::vector<std::pair<std::string, SiteHistory>> sites;
  bool empty() const {
    return signals.empty() && tallies.empty() && texts.empty() && waves.empty() && sites.empty();
  }
};

// A change of a status, for the table in memory. Numbers rise for ever.
struct StatusChange {
  uint64_t sequence = 0;
  std::string list, address;
  AddressStatus status = AddressStatus::kUnknown;
  uint8_t reason = 0;
  bool automatic = false;  // not by an operator
};

// Where the ledger of a relay is: [quarantine] path, or in the directory "ledger" beside its spool. The
// directory belongs to the relay's user: SQLite makes files beside the database.
std::string ledger_path(const conf::QuarantineSettings& settings, const std::string& spool);

// What the row of an address (null: it has none) is after a signal; nothing when it stays as it is. Who
// allowed an address stays on record.
std::optional<AddressRow> row_after(const AddressRow* before, const AddressSignal& signal,
                                    const conf::QuarantineSettings& settings);

class Ledger {
 public:
  virtual ~Ledger() = default;
  // The rows are moved by bounce::after with these settings, in the order of the signals.
  virtual conf::Status apply(const LedgerBatch& batch, const conf::QuarantineSettings& settings) = 0;
  // Rows whose time has come are cleared, at most `limit`; how many were.
  virtual conf::Result<uint64_t> sweep(conf::WallTime now, const conf::QuarantineSettings& settings,
                                       uint64_t limit) = 0;
  virtual conf::Result<std::optional<AddressRow>> find(const std::string& list,
                                                       const std::string& address) = 0;
  // Every row; and the number of the latest change that they contain.
  virtual conf::Result<uint64_t> each(const std::function<void(const StatusChange&)>& row) = 0;
  // Changes after a number, by whoever made them, at most `limit`, oldest first.
  virtual conf::Result<std::vector<StatusChange>> changes(uint64_t after, uint64_t limit) = 0;
};

}  // namespace bounce
