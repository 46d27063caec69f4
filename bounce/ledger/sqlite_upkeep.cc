// Reading the ledger as a whole, and keeping it small.
#include <algorithm>
#include <chrono>

#include "bounce/ledger/sqlite_ledger.h"
#include "bounce/ledger/sqlite_tables.h"

namespace bounce {

namespace {

constexpr conf::Duration kToldAgain = std::chrono::hours(24 * 90);

conf::Status finished(Database* database) {
  conf::Status status = database->failure();
  database->clear_failure();
  return status;
}

}  // namespace

conf::Result<uint64_t> SqliteLedger::sweep(conf::WallTime now, const conf::QuarantineSettings& settings,
                                           uint64_t limit) {
  // Any row that may lapse has waited for the shorter of the two times.
  const conf::Duration least = std::min(settings.clean_after, settings.mailbox_full_after);
  std::vector<std::pair<std::string, std::string>> candidates;
  Statement find = database_->prepare(
      "SELECT list, address, status, errors, reason, last_error, first_hard, changed FROM address "
      "WHERE (status = 2 OR (status = 3 AND reason = 5)) AND last_error <= ? ORDER BY last_error");
  find.with(conf::unix_micros(now - least));
  while (candidates.size() < limit && find.row()) {
    AddressState state;
    read_state(find, 2, &state);
    if (at_time(state, now, settings) != state) candidates.emplace_back(find.text(0), find.text(1));
  }
  find.reset();
  database_->begin();
  for (const auto& [list, address] : candidates) {
    const std::optional<AddressRow> before = read(list, address);
    if (!before) continue;
    AddressRow row = *before;
    row.state = at_time(before->state, now, settings);
    row.by = "automatic";
    if (row.state != before->state) write(&*before, row, now, 0);
  }
  const conf::Status status = database_->commit();
  if (!status.ok()) return status.error();
  return static_cast<uint64_t>(candidates.size());
}

conf::Result<uint64_t> SqliteLedger::each(const std::function<void(const StatusChange&)>& row) {
  // One snapshot: the number and the rows belong together.
  database_->execute("BEGIN");
  uint64_t last = 0;
  {
    Statement newest = database_->prepare("SELECT ifnull(max(seq), 0) FROM history");
    if (newest.row()) last = static_cast<uint64_t>(newest.integer(0));
  }
  {
    Statement all = database_->prepare("SELECT list, address, status, reason FROM address");
    StatusChange change;
    change.sequence = last;
    while (all.row()) {
      change.list = all.text(0);
      change.address = all.text(1);
      change.status = static_cast<AddressStatus>(all.integer(2));
      change.reason = static_cast<uint8_t>(all.integer(3));
      row(change);
    }
  }
  const conf::Status status = database_->commit();
  if (!status.ok()) return status.error();
  return last;
}

conf::Result<std::vector<StatusChange>> SqliteLedger::changes(uint64_t after, uint64_t limit) {
  std::vector<StatusChange> out;
  Statement find = database_->prepare(
      "SELECT seq, list, address, status, reason, by = 'automatic' FROM history "
      "WHERE seq > ? ORDER BY seq LIMIT ?");
  find.with(after).with(limit);
  while (find.row()) {
    out.push_back({static_cast<uint64_t>(find.integer(0)), find.text(1), find.text(2),
                   static_cast<AddressStatus>(find.integer(3)), static_cast<uint8_t>(find.integer(4)),
                   find.integer(5) != 0});
  }
  const conf::Status status = finished(database_.get());
  if (!status.ok()) return status.error();
  return out;
}

conf::Result<std::vector<Wave>> SqliteLedger::waves() {
  std::vector<Wave> out;
  Statement find = database_->prepare(
      "SELECT id, site, state, began, declared, last, refusals, cold, why FROM wave ORDER BY id");
  while (find.row()) {
    Wave wave;
    wave.id = static_cast<uint64_t>(find.integer(0));
    wave.site = find.text(1);
    wave.state = static_cast<WaveState>(find.integer(2));
    wave.began = conf::from_unix_micros(find.integer(3));
    wave.declared = conf::from_unix_micros(find.integer(4));
    wave.last = conf::from_unix_micros(find.integer(5));
    wave.refusals = static_cast<uint64_t>(find.integer(6));
    wave.cold = find.integer(7) != 0;
    wave.why = find.text(8);
    out.push_back(std::move(wave));
  }
  const conf::Status status = finished(database_.get());
  if (!status.ok()) return status.error();
  return out;
}

conf::Result<std::vector<std::pair<std::string, SiteHistory>>> SqliteLedger::sites() {
  std::vector<std::pair<std::string, SiteHistory>> out;
  Statement find = database_->prepare("SELECT site, known_delivered, known_hard, delivered, hard FROM site");
  while (find.row())
    out.emplace_back(find.text(0), SiteHistory{find.real(1), find.real(2), find.real(3), find.real(4)});
  const conf::Status status = finished(database_.get());
  if (!status.ok()) return status.error();
  return out;
}

conf::Status SqliteLedger::each_held(uint64_t wave,
                                     const std::function<void(const std::string& address)>& one) {
  Statement find = database_->prepare(
      "SELECT address FROM held "
      "WHERE wave IN (SELECT id FROM wave WHERE id = ?1 OR (?1 = 0 AND state <= 1))");
  find.with(wave);
  while (find.row()) one(find.text(0));
  return finished(database_.get());
}

conf::Status SqliteLedger::forget(conf::WallTime now, const conf::QuarantineSettings& settings,
                                  uint64_t limit) {
  const int64_t hour = conf::unix_micros(now - settings.keep_reports) / 3'600'000'000;
  database_->begin();
  // The latest line stays, whatever its age: its number is where a reader goes on.
  database_
      ->prepare(
          "DELETE FROM history WHERE seq IN (SELECT seq FROM history WHERE at < ? AND "
          "seq < (SELECT max(seq) FROM history) LIMIT ?)")
      .with(conf::unix_micros(now - settings.keep_history))
      .with(limit)
      .run();
  // A message tells of its failed recipients again with each start, for as long as it is in the spool.
  database_
      ->prepare("DELETE FROM applied WHERE identity IN (SELECT identity FROM applied WHERE at < ? LIMIT ?)")
      .with(conf::unix_micros(now - std::max(settings.keep_history, kToldAgain)))
      .with(limit)
      .run();
  database_->prepare("DELETE FROM tally WHERE hour < ?").with(hour).run();
  database_->prepare("DELETE FROM text_tally WHERE hour < ?").with(hour).run();
  return database_->commit();
}

}  // namespace bounce
