#include "bounce/ledger/sqlite_tables.h"

namespace bounce {

const char* const kTables = R"(
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES('version', 1);
CREATE TABLE IF NOT EXISTS address(
  id INTEGER PRIMARY KEY, list TEXT NOT NULL, address TEXT NOT NULL, domain TEXT NOT NULL,
  status INTEGER NOT NULL, errors INTEGER NOT NULL, reason INTEGER NOT NULL, last_error INTEGER NOT NULL,
  first_hard INTEGER NOT NULL, changed INTEGER NOT NULL, created INTEGER NOT NULL, text TEXT NOT NULL,
  rule TEXT NOT NULL, site TEXT NOT NULL, mx_host TEXT NOT NULL, by TEXT NOT NULL, message INTEGER NOT NULL,
  UNIQUE(address, list));
CREATE INDEX IF NOT EXISTS address_lapse ON address(last_error) WHERE status = 2 OR (status = 3 AND reason = 5);
CREATE INDEX IF NOT EXISTS address_site ON address(site, changed) WHERE status = 3;
CREATE TABLE IF NOT EXISTS history(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, list TEXT NOT NULL, address TEXT NOT NULL,
  status INTEGER NOT NULL, reason INTEGER NOT NULL, text TEXT NOT NULL, rule TEXT NOT NULL,
  site TEXT NOT NULL, mx_host TEXT NOT NULL, by TEXT NOT NULL, message INTEGER NOT NULL,
  batch INTEGER NOT NULL, old_status INTEGER NOT NULL, old_errors INTEGER NOT NULL, old_reason INTEGER NOT NULL,
  old_last_error INTEGER NOT NULL, old_first_hard INTEGER NOT NULL, old_changed INTEGER NOT NULL,
  old_created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS history_address ON history(address, list);
CREATE INDEX IF NOT EXISTS history_batch ON history(batch) WHERE batch > 0;
CREATE TABLE IF NOT EXISTS batch(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, what TEXT NOT NULL,
  rows INTEGER NOT NULL, undone INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS applied(identity INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS applied_at ON applied(at);
CREATE TABLE IF NOT EXISTS wave(
  id INTEGER PRIMARY KEY, site TEXT NOT NULL, state INTEGER NOT NULL, began INTEGER NOT NULL,
  declared INTEGER NOT NULL, last INTEGER NOT NULL, refusals INTEGER NOT NULL, cold INTEGER NOT NULL,
  why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decision(
  batch INTEGER PRIMARY KEY, wave INTEGER NOT NULL, old_state INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS held(
  wave INTEGER NOT NULL, address TEXT NOT NULL, list TEXT NOT NULL, at INTEGER NOT NULL,
  reason INTEGER NOT NULL, text TEXT NOT NULL, rule TEXT NOT NULL, mx_host TEXT NOT NULL,
  PRIMARY KEY(wave, address, list)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS site(
  site TEXT PRIMARY KEY, known_delivered REAL NOT NULL, known_hard REAL NOT NULL, delivered REAL NOT NULL,
  hard REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tally(
  hour INTEGER NOT NULL, outcome INTEGER NOT NULL, reason INTEGER NOT NULL, type INTEGER NOT NULL,
  site TEXT NOT NULL, source TEXT NOT NULL, domain TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY(hour, outcome, reason, type, site, source, domain)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS text_tally(
  hour INTEGER NOT NULL, text TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(hour, text)) WITHOUT ROWID;
)";

void read_state(const Statement& statement, int column, AddressState* out) {
  const int64_t status = statement.integer(column);
  out->status = status < 0 || status > static_cast<int>(AddressStatus::kAllowlisted)
                    ? AddressStatus::kUnknown
                    : static_cast<AddressStatus>(status);
  out->errors = static_cast<uint32_t>(statement.integer(column + 1));
  out->reason = static_cast<uint8_t>(statement.integer(column + 2));
  out->last_error = conf::from_unix_micros(statement.integer(column + 3));
  out->first_hard = conf::from_unix_micros(statement.integer(column + 4));
  out->changed = conf::from_unix_micros(statement.integer(column + 5));
}

void read_row(const Statement& statement, int column, AddressRow* out) {
  read_state(statement, column, &out->state);
  out->created = conf::from_unix_micros(statement.integer(column + 6));
  out->text = statement.text(column + 7);
  out->rule = statement.text(column + 8);
  out->site = statement.text(column + 9);
  out->mx_host = statement.text(column + 10);
  out->by = statement.text(column + 11);
  out->message = static_cast<uint64_t>(statement.integer(column + 12));
}

void bind_state(Statement* statement, const AddressState& state) {
  statement->with(static_cast<int>(state.status)).with(state.errors).with(state.reason);
  statement->with(conf::unix_micros(state.last_error)).with(conf::unix_micros(state.first_hard));
  statement->with(conf::unix_micros(state.changed));
}

}  // namespace bounce
