#include "bounce/ledger/sqlite_ledger.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <random>

#include "bounce/ledger/sqlite_tables.h"
#include "conf/vocab/utf8.h"

namespace bounce {

bool may_be_ours(const std::string& path) {
  constexpr std::string_view kHead = "SQLite format 3";
  std::error_code ignored;
  if (std::filesystem::exists(path + "-known", ignored)) return true;
  std::array<char, kHead.size()> head{};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());  // the file may have gigabytes
  return std::string_view(head.data(), head.size()) == kHead;
}

std::string set_aside(const std::string& path, conf::WallTime now) {
  const std::string aside = path + ".damaged-" + std::to_string(conf::unix_micros(now) / 1'000'000);
  std::error_code ignored;
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::rename(path + part, aside + part, ignored);
  return aside;
}

conf::Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const std::string& path, conf::WallTime now,
                                                               std::string* warning) {
  for (const bool again : {false, true}) {
    auto ledger = open_as_it_is(path);
    if (ledger.ok() || again || ledger.error().code != conf::ErrorCode::kCorrupt) return ledger;
    if (!may_be_ours(path))
      return conf::invalid(path + " is no ledger of penstock, and is left alone; name another file");
    const std::string aside = set_aside(path, now);
    *warning = ledger.error().detail;
    *warning += "; the damaged ledger is kept as ";
    *warning += aside;
    *warning += " and a new one is begun; mail goes on. `sqlite3 ";
    *warning += aside;
    *warning += " .recover` may read more";
  }
  return conf::Error{conf::ErrorCode::kCorrupt, path};
}

conf::Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open_as_it_is(const std::string& path) {
  auto database = Database::open(path, Database::Mode::kReadWrite);
  if (!database.ok()) return database.error();
  std::unique_ptr<SqliteLedger> ledger(new SqliteLedger(std::move(*database)));
  const conf::Status status = ledger->make_tables();
  if (!status.ok()) return status.error();
  return ledger;
}

conf::Status SqliteLedger::make_tables() {
  {
    // A ledger that is made already is opened without a lock: another process may be at a long import. The
    // table is the latest that ledgers got.
    Statement made = database_->prepare(
        "SELECT value FROM meta WHERE name = 'sip-key-1' "
        "AND EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'decision')");
    if (made.row()) {
      version_ = database_->data_version();
      return database_->failure();
    }
  }
  const conf::Status asked = database_->failure();
  if (!asked.ok() && asked.error().code == conf::ErrorCode::kCorrupt) return asked;
  database_->clear_failure();  // there is no such table yet
  database_->begin();
  database_->execute(kTables);
  std::random_device device;
  for (const char* name : {"sip-key-0", "sip-key-1"}) {
    const uint64_t word = (static_cast<uint64_t>(device()) << 32) | device();
    database_->prepare("INSERT OR IGNORE INTO meta(name, value) VALUES(?, ?)")
        .with(std::string_view(name))
        .with(word)
        .run();
  }
  conf::Status status = database_->commit();
  if (status.ok()) version_ = database_->data_version();
  return status;
}

conf::Result<SipKey> SqliteLedger::sip_key() {
  SipKey key{};
  for (size_t i = 0; i < key.size(); ++i) {
    Statement statement = database_->prepare("SELECT value FROM meta WHERE name = ?");
    statement.with(std::string_view(i == 0 ? "sip-key-0" : "sip-key-1"));
    if (statement.row()) key[i] = static_cast<uint64_t>(statement.integer(0));
  }
  const conf::Status status = database_->failure();
  if (!status.ok()) return status.error();
  return key;
}

bool SqliteLedger::changed_outside() {
  const int64_t version = database_->data_version();
  database_->clear_failure();
  const bool changed = version != version_;
  version_ = version;
  return changed;
}

std::optional<AddressRow> SqliteLedger::read(std::string_view list, std::string_view address) {
  Statement statement = database_->prepare(
      "SELECT status, errors, reason, last_error, first_hard, changed, created, text, rule, site, mx_host, "
      "by, message FROM address WHERE address = ? AND list = ?");
  statement.with(address).with(list);
  if (!statement.row()) return std::nullopt;
  AddressRow row;
  row.list = list;
  row.address = address;
  read_row(statement, 0, &row);
  return row;
}

void SqliteLedger::write(const AddressRow* before, const AddressRow& row, conf::WallTime now, uint64_t batch,
                         const std::string& by) {
  const bool remove =
      row.state.status == AddressStatus::kValid || row.state.status == AddressStatus::kUnknown;
  const AddressState old = before == nullptr ? AddressState() : before->state;
  // A row that goes leaves its text in the history, so that it can come back whole.
  const AddressRow& told = remove && before != nullptr ? *before : row;
  Statement history = database_->prepare(
      "INSERT INTO history(at, list, address, status, reason, text, rule, site, mx_host, by, message, batch, "
      "old_status, old_errors, old_reason, old_last_error, old_first_hard, old_changed, old_created) "
      "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  history.with(conf::unix_micros(now)).with(row.list).with(row.address);
  history.with(static_cast<int>(row.state.status))
      .with(row.state.reason)
      .with(conf::utf8_prefix(told.text, kKeptText));
  history.with(told.rule).with(told.site).with(told.mx_host).with(by.empty() ? row.by : by);
  history.with(told.message).with(batch);
  bind_state(&history, old);
  history.with(conf::unix_micros(before == nullptr ? now : before->created)).run();
  if (remove) {
    database_->prepare("DELETE FROM address WHERE address = ? AND list = ?")
        .with(row.address)
        .with(row.list)
        .run();
    return;
  }
  Statement put = database_->prepare(
      "INSERT INTO address(list, address, domain, status, errors, reason, last_error, first_hard, changed, "
      "created, text, rule, site, mx_host, by, message) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
      "ON CONFLICT(address, list) DO UPDATE SET status=excluded.status, errors=excluded.errors, "
      "reason=excluded.reason, last_error=excluded.last_error, first_hard=excluded.first_hard, "
      "changed=excluded.changed, text=excluded.text, rule=excluded.rule, site=excluded.site, "
      "mx_host=excluded.mx_host, by=excluded.by, message=excluded.message");
  const size_t at = row.address.rfind('@');
  put.with(row.list).with(row.address);
  put.with(std::string_view(row.address).substr(at == std::string::npos ? 0 : at + 1));
  bind_state(&put, row.state);
  put.with(conf::unix_micros(before == nullptr ? now : before->created));
  put.with(conf::utf8_prefix(row.text, kKeptText))
      .with(row.rule)
      .with(row.site)
      .with(row.mx_host)
      .with(row.by)
      .with(row.message)
      .run();
}

void SqliteLedger::apply_signal(const AddressSignal& signal, const conf::QuarantineSettings& settings) {
  if (signal.identity != 0) {
    Statement once = database_->prepare("INSERT OR IGNORE INTO applied(identity, at) VALUES(?, ?)");
    once.with(signal.identity).with(conf::unix_micros(signal.event.at)).run();
    if (database_->changes() == 0) return;
  }
  if (signal.held_by != 0) {
    Statement held = database_->prepare(
        "INSERT OR REPLACE INTO held(wave, list, address, at, reason, text, rule, mx_host) "
        "VALUES(?,?,?,?,?,?,?,?)");
    held.with(signal.held_by).with(signal.list).with(signal.address);
    held.with(conf::unix_micros(signal.event.at))
        .with(signal.event.reason)
        .with(conf::utf8_prefix(signal.text, kKeptText));
    held.with(signal.rule).with(signal.mx_host).run();
    return;
  }
  const std::optional<AddressRow> before = read(signal.list, signal.address);
  const std::optional<AddressRow> row = row_after(before ? &*before : nullptr, signal, settings);
  if (row) write(before ? &*before : nullptr, *row, signal.event.at, 0);
}

// It is not dead, whatever a wave has said of it: also one of the same batch, and one whose decision may be
// taken back.
void SqliteLedger::let_off(const std::string& address) {
  database_->prepare("DELETE FROM held WHERE wave IN (SELECT id FROM wave) AND address = ?")
      .with(address)
      .run();
}

void SqliteLedger::apply_wave(const Wave& wave) {
  Statement known = database_->prepare("SELECT state FROM wave WHERE id = ?");
  const bool is_new = !known.with(wave.id).row();
  // What an operator decided meanwhile, or took back, is not overwritten.
  const bool decided =
      !is_new && !(is_undecided(static_cast<WaveState>(known.integer(0))) && is_undecided(wave.state));
  known.reset();
  if (decided) return;
  Statement put = database_->prepare(
      "INSERT INTO wave(id, site, state, began, declared, last, refusals, cold, why) "
      "VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET state=excluded.state, last=excluded.last, "
      "refusals=excluded.refusals");
  put.with(wave.id).with(wave.site).with(static_cast<int>(wave.state)).with(conf::unix_micros(wave.began));
  put.with(conf::unix_micros(wave.declared)).with(conf::unix_micros(wave.last)).with(wave.refusals);
  put.with(static_cast<int>(wave.cold)).with(wave.why).run();
  if (is_new) recall(wave, wave.began, wave.declared, 0);
}

void SqliteLedger::recall(const Wave& wave, conf::WallTime since, conf::WallTime now, uint64_t batch) {
  std::vector<std::pair<std::string, std::string>> moved;
  Statement find = database_->prepare(
      "SELECT list, address FROM address WHERE site = ? AND status = 3 AND changed >= ? AND by = 'automatic' "
      "AND first_hard = 0");
  find.with(wave.site).with(conf::unix_micros(since));
  while (find.row()) moved.emplace_back(find.text(0), find.text(1));
  find.reset();
  for (const auto& [list, address] : moved) {
    const std::optional<AddressRow> present = read(list, address);
    Statement last = database_->prepare(
        "SELECT old_status, old_errors, old_reason, old_last_error, old_first_hard, old_changed FROM history "
        "WHERE address = ? AND list = ? ORDER BY seq DESC LIMIT 1");
    last.with(address).with(list);
    if (!present || !last.row()) continue;
    AddressRow row = *present;
    read_state(last, 0, &row.state);
    last.reset();
    row.by = "outage guard, wave " + std::to_string(wave.id);
    write(&*present, row, now, batch);
    AddressSignal held;
    held.list = list;
    held.address = address;
    held.event.at = present->state.last_error;
    held.event.reason = present->state.reason;
    held.text = present->text;
    held.rule = present->rule;
    held.mx_host = present->mx_host;
    held.held_by = wave.id;
    apply_signal(held, {});
  }
}

void SqliteLedger::add(const Tally& tally) {
  Statement add = database_->prepare(
      "INSERT INTO tally(hour, outcome, reason, type, site, source, domain, count) VALUES(?,?,?,?,?,?,?,?) "
      "ON CONFLICT DO UPDATE SET count = count + excluded.count");
  add.with(tally.key.hour).with(tally.key.outcome).with(tally.key.reason).with(tally.key.type);
  add.with(tally.key.site).with(tally.key.source).with(tally.key.sender_domain).with(tally.count).run();
}

conf::Status SqliteLedger::apply(const LedgerBatch& batch, const conf::QuarantineSettings& settings) {
  database_->begin();
  for (const AddressSignal& signal : batch.signals) apply_signal(signal, settings);
  for (const Wave& wave : batch.waves) apply_wave(wave);
  for (const AddressSignal& signal : batch.signals) {
    if (signal.event.kind == AddressEventKind::kDelivered) let_off(signal.address);
  }
  for (const Tally& tally : batch.tallies) add(tally);
  for (const TextTally& tally : batch.texts) {
    database_
        ->prepare(
            "INSERT INTO text_tally(hour, text, count) VALUES(?,?,?) ON CONFLICT DO UPDATE SET count = "
            "count + excluded.count")
        .with(tally.hour)
        .with(conf::utf8_prefix(tally.text, kKeptText))
        .with(tally.count)
        .run();
  }
  for (const auto& [site, history] : batch.sites) {
    database_
        ->prepare(
            "INSERT OR REPLACE INTO site(site, known_delivered, known_hard, delivered, hard) "
            "VALUES(?,?,?,?,?)")
        .with(site)
        .with(history.known_delivered)
        .with(history.known_hard)
        .with(history.delivered)
        .with(history.hard)
        .run();
  }
  return database_->commit();
}

conf::Result<std::optional<AddressRow>> SqliteLedger::find(const std::string& list,
                                                           const std::string& address) {
  std::optional<AddressRow> row = read(list, address);
  const conf::Status status = database_->failure();
  database_->clear_failure();
  if (!status.ok()) return status.error();
  return row;
}

}  // namespace bounce
