// What waves of the outage guard hold back, and what an operator decides of them.
#include "bounce/ledger/sqlite_desk.h"

namespace bounce {

namespace {

conf::Result<std::vector<HeldError>> read_held(Database* database, Statement* find) {
  std::vector<HeldError> out;
  while (find->row()) {
    out.push_back({find->text(0), find->text(1), conf::from_unix_micros(find->integer(2)),
                   static_cast<uint8_t>(find->integer(3)), find->text(4), find->text(5), find->text(6),
                   static_cast<uint64_t>(find->integer(7))});
  }
  find->reset();
  const conf::Status status = database->failure();
  if (!status.ok()) return status.error();
  return out;
}

}  // namespace

conf::Result<std::vector<HeldError>> LedgerDesk::held(uint64_t wave, uint64_t limit) {
  Statement find = ledger_->database()->prepare(
      "SELECT list, address, at, reason, text, rule, mx_host, wave FROM held WHERE wave = ? ORDER BY at "
      "LIMIT ?");
  find.with(wave).with(limit);
  return read_held(ledger_->database(), &find);
}

conf::Result<std::vector<HeldError>> LedgerDesk::held_of(const std::string& address) {
  Statement find = ledger_->database()->prepare(
      "SELECT list, address, at, reason, text, rule, mx_host, wave FROM held WHERE address = ? ORDER BY at "
      "DESC");
  find.with(address);
  return read_held(ledger_->database(), &find);
}

conf::Result<BatchDone> LedgerDesk::decide(uint64_t wave, bool was_outage) {
  Database* database = ledger_->database();
  BatchDone done;
  done.batch = begin_batch((was_outage ? "release wave " : "confirm wave ") + std::to_string(wave));
  std::string site;
  WaveState before = WaveState::kConfirmed;
  {
    Statement find = database->prepare("SELECT site, state FROM wave WHERE id = ?");
    if (find.with(wave).row()) {
      site = find.text(0);
      before = static_cast<WaveState>(find.integer(1));
    }
  }
  if (!is_undecided(before)) {
    done.problems.push_back("there is no wave " + std::to_string(wave) + " without a decision");
    return end_batch(std::move(done));
  }
  database->prepare("UPDATE wave SET state = ? WHERE id = ?")
      .with(static_cast<int>(was_outage ? WaveState::kReleased : WaveState::kConfirmed))
      .with(wave)
      .run();
  keep_decision(done.batch, wave, before);
  done.decided = true;
  const conf::Result<std::vector<HeldError>> errors = held(wave, UINT32_MAX);
  if (errors.ok() && was_outage) done.left = errors.value().size();
  if (errors.ok() && !was_outage) believe(errors.value(), site, &done);
  return end_batch(std::move(done));
}

// They count as what they are, Hard errors.
void LedgerDesk::believe(const std::vector<HeldError>& errors, const std::string& site, BatchDone* done) {
  for (const HeldError& error : errors) {
    const std::optional<AddressRow> before = ledger_->read(error.list, error.address);
    AddressEvent event;
    event.at = now_;
    event.type = ErrorType::kHard;
    event.reason = error.reason;
    const AddressStep step = after(before ? before->state : AddressState(), event, settings_);
    if (step.change == AddressChange::kNone) {
      ++done->left;
      continue;
    }
    AddressRow row{error.list, error.address, step.state,    now_, error.text,
                   error.rule, site,          error.mx_host, by_};
    if (step.change == AddressChange::kIgnored) row.by = before->by;  // who allowed it stays on record
    ledger_->write(before ? &*before : nullptr, row, now_, done->batch);
    ++done->changed;
  }
}

// The decision about a wave that a batch was, and that holds: the wave is what it was and holds its errors
// again, with those that were believed because of it. This is a decision itself, and can be taken back.
bool LedgerDesk::take_back_decision(uint64_t batch, uint64_t by_batch) {
  Database* database = ledger_->database();
  Statement find = database->prepare(
      "SELECT wave.id, wave.state, decision.old_state, wave.site, batch.at FROM decision "
      "JOIN wave ON wave.id = decision.wave JOIN batch ON batch.id = decision.batch "
      "WHERE decision.batch = ?1 AND NOT EXISTS "
      "(SELECT 1 FROM decision AS later WHERE later.wave = wave.id AND later.batch > ?1)");
  if (!find.with(batch).row()) return false;
  Wave wave;
  wave.id = static_cast<uint64_t>(find.integer(0));
  wave.site = find.text(3);
  const auto state = static_cast<WaveState>(find.integer(1));
  const int64_t old = find.integer(2);
  const conf::WallTime since = conf::from_unix_micros(find.integer(4));
  find.reset();
  database->prepare("UPDATE wave SET state = ? WHERE id = ?").with(old).with(wave.id).run();
  keep_decision(by_batch, wave.id, state);
  if (state == WaveState::kConfirmed) ledger_->recall(wave, since, now_, by_batch);
  return true;
}

void LedgerDesk::keep_decision(uint64_t batch, uint64_t wave, WaveState before) {
  ledger_->database()
      ->prepare("INSERT INTO decision(batch, wave, old_state) VALUES(?,?,?)")
      .with(batch)
      .with(wave)
      .with(static_cast<int>(before))
      .run();
}

}  // namespace bounce
