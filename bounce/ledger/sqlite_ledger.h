// The ledger in one SQLite file (WAL): see docs/quarantine.md for its tables. Blocks on the disk; one
// thread at a time. The errors are those of Database::commit().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bounce/ledger/address_key.h"
#include "bounce/ledger/ledger.h"
#include "bounce/ledger/sqlite_database.h"

namespace bounce {

struct HeldError {  // of a wave
  std::string list, address;
  conf::WallTime at;
  uint8_t reason = 0;
  std::string text, rule, mx_host;
  uint64_t wave = 0;
};

class SqliteLedger final : public Ledger {
 public:
  // Makes the file when it is not there. A damaged one is set aside (path + ".damaged-" + time), a new and
  // empty one is begun, and `*warning` says so; nothing is read from the damaged one.
  static conf::Result<std::unique_ptr<SqliteLedger>> open(const std::string& path, conf::WallTime now,
                                                          std::string* warning);

  // The same without setting anything aside: for a command beside a running relay, whose file it is.
  static conf::Result<std::unique_ptr<SqliteLedger>> open_as_it_is(const std::string& path);

  conf::Status apply(const LedgerBatch& batch, const conf::QuarantineSettings& settings) override;
  conf::Result<uint64_t> sweep(conf::WallTime now, const conf::QuarantineSettings& settings,
                               uint64_t limit) override;
  conf::Result<std::optional<AddressRow>> find(const std::string& list, const std::string& address) override;
  conf::Result<uint64_t> each(const std::function<void(const StatusChange&)>& row) override;
  conf::Result<std::vector<StatusChange>> changes(uint64_t after, uint64_t limit) override;

  // True when another process wrote since the last call.
  bool changed_outside();
  conf::Result<SipKey> sip_key();  // of this ledger; made with it
  conf::Result<std::vector<Wave>> waves();
  conf::Result<std::vector<std::pair<std::string, SiteHistory>>> sites();
  // The addresses that a wave holds back; 0: all waves without a decision.
  conf::Status each_held(uint64_t wave, const std::function<void(const std::string& address)>& one);
  // Drops what the settings keep no longer: decisions, counts, and identities, which stay for three months at
  // least. Bounded by `limit` rows of each.
  conf::Status forget(conf::WallTime now, const conf::QuarantineSettings& settings, uint64_t limit);

  // For the parts of this folder that read and change rows in their own ways, in transactions of their own.
  Database* database() { return database_.get(); }
  std::optional<AddressRow> read(std::string_view list, std::string_view address);
  // Writes the row (Valid and Unknown: removes it) and its line of history. `before` null: there was none.
  // `by`: who made the change, when it is not who set what the row says.
  void write(const AddressRow* before, const AddressRow& row, conf::WallTime now, uint64_t batch,
             const std::string& by = {});
  // Addresses that Hard errors of the site moved since then go back, and the wave holds these errors: they
  // came before it was seen, or while it was believed.
  void recall(const Wave& wave, conf::WallTime since, conf::WallTime now, uint64_t batch);

 private:
  explicit SqliteLedger(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  conf::Status make_tables();
  void apply_signal(const AddressSignal& signal, const conf::QuarantineSettings& settings);
  void apply_wave(const Wave& wave);
  void let_off(const std::string& address);
  void add(const Tally& tally);

  std::unique_ptr<Database> database_;
  int64_t version_ = 0;
};

// Whether a file that cannot be read as a database may be a ledger of ours that was damaged: it begins like
// one, or what the relay keeps beside its ledger is there. Else it is somebody else's, and stays where it is.
bool may_be_ours(const std::string& path);
// Moves the files of a database out of the way; returns where they are.
std::string set_aside(const std::string& path, conf::WallTime now);

}  // namespace bounce
