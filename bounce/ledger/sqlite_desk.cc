#include "bounce/ledger/sqlite_desk.h"

#include "bounce/ledger/sqlite_tables.h"
#include "bounce/reason.h"
#include "conf/vocab/ascii.h"

namespace bounce {

namespace {

#define PENSTOCK_MATCHING                                                                                  \
  " FROM address WHERE (?1 < 0 OR status = ?1) AND (?2 = 0 OR list = ?3) AND (?4 = '' OR address = ?4) "   \
  "AND changed >= ?5 AND changed <= ?6 AND (?7 = '' OR domain GLOB ?7) "                                   \
  "AND (?8 = '' OR mx_host GLOB ?8 OR ('+' || replace(site, ',', '+') || '+') GLOB ('*+' || ?8 || '+*')) " \
  "AND (?9 < 0 OR reason = ?9) AND (?10 = '' OR instr(lower(text), lower(?10)) > 0) "                      \
  "AND (?11 = '' OR rule = ?11)"
constexpr const char* kCount = "SELECT count(*)" PENSTOCK_MATCHING;
constexpr const char* kSelect =
    "SELECT list, address, status, errors, reason, last_error, first_hard, changed, created, text, rule, "
    "site, mx_host, by, message" PENSTOCK_MATCHING " ORDER BY changed DESC, id DESC";
#undef PENSTOCK_MATCHING

}  // namespace

bool AddressFilter::empty() const {
  return !status && !list && address.empty() && since == conf::WallTime{} && until == conf::WallTime{} &&
         domain.empty() && site.empty() && !reason && text.empty() && rule.empty();
}

conf::Result<std::string> LedgerDesk::spelled(std::string_view address) const {
  conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(address);
  if (!mailbox.ok()) return mailbox.error();
  if (mailbox->is_null() || mailbox->domain.empty())
    return conf::Error{conf::ErrorCode::kInvalid, "an address has a domain"};
  return folded(mailbox.value(), settings_.fold_local_part);
}

void LedgerDesk::bind(const AddressFilter& filter, Statement* to) {
  Statement& statement = *to;
  statement.with(filter.status ? static_cast<int>(*filter.status) : -1);
  statement.with(filter.list ? 1 : 0).with(filter.list.value_or("")).with(filter.address);
  const conf::WallTime until = filter.until == conf::WallTime{} ? conf::WallTime::max() : filter.until;
  statement.with(conf::unix_micros(filter.since)).with(conf::unix_micros(until));
  statement.with(glob(conf::ascii_lower(filter.domain))).with(glob(conf::ascii_lower(filter.site)));
  statement.with(filter.reason ? static_cast<int>(*filter.reason) : -1).with(filter.text).with(filter.rule);
}

conf::Result<uint64_t> LedgerDesk::count(const AddressFilter& filter) {
  uint64_t found = 0;
  {
    Statement statement = ledger_->database()->prepare(kCount);
    bind(filter, &statement);
    if (statement.row()) found = static_cast<uint64_t>(statement.integer(0));
  }
  const conf::Status status = ledger_->database()->failure();
  if (!status.ok()) return status.error();
  return found;
}

conf::Status LedgerDesk::each(const AddressFilter& filter,
                              const std::function<bool(const AddressRow&)>& row) {
  {
    Statement statement = ledger_->database()->prepare(kSelect);
    bind(filter, &statement);
    AddressRow found;
    while (statement.row()) {
      found.list = statement.text(0);
      found.address = statement.text(1);
      read_row(statement, 2, &found);
      if (!row(found)) break;
    }
  }
  return ledger_->database()->failure();
}

uint64_t LedgerDesk::begin_batch(const std::string& what) {
  Database* database = ledger_->database();
  database->begin();
  database->prepare("INSERT INTO batch(at, by, what, rows) VALUES(?,?,?,0)")
      .with(conf::unix_micros(now_))
      .with(by_)
      .with(what)
      .run();
  return static_cast<uint64_t>(database->last_row());
}

conf::Result<BatchDone> LedgerDesk::end_batch(BatchDone done) {
  Database* database = ledger_->database();
  if (done.changed == 0 && !done.decided) {
    database->prepare("DELETE FROM batch WHERE id = ?").with(done.batch).run();
    done.batch = 0;
  } else {
    database->prepare("UPDATE batch SET rows = ? WHERE id = ?").with(done.changed).with(done.batch).run();
  }
  const conf::Status status = database->commit();
  if (!status.ok()) return status.error();
  return done;
}

void LedgerDesk::put(const std::string& list, const std::string& address, AddressStatus status,
                     uint8_t reason, const std::string& text, BatchDone* done) {
  const std::optional<AddressRow> before = ledger_->read(list, address);
  const bool removes = status == AddressStatus::kValid || status == AddressStatus::kUnknown;
  const bool same = before ? before->state.status == status && before->state.reason == reason : removes;
  if (same) {
    ++done->left;
    return;
  }
  AddressRow row = before.value_or(AddressRow());
  row.list = list;
  row.address = address;
  row.state = set_by_operator(status, reason, now_).state;
  if (!text.empty()) row.text = text;
  row.by = by_;
  ledger_->write(before ? &*before : nullptr, row, now_, done->batch);
  ++done->changed;
}

conf::Result<std::vector<std::string>> LedgerDesk::spelled_all(
    const std::vector<std::string>& addresses) const {
  std::vector<std::string> all;
  for (const std::string& address : addresses) {
    conf::Result<std::string> one = spelled(address);
    if (!one.ok()) return conf::Error{conf::ErrorCode::kInvalid, address + ": " + one.error().detail};
    all.push_back(std::move(one).value());
  }
  return all;
}

conf::Result<BatchDone> LedgerDesk::set(const std::vector<std::string>& addresses, const std::string& list,
                                        AddressStatus status, uint8_t reason, const std::string& text) {
  const conf::Result<std::vector<std::string>> all = spelled_all(addresses);
  if (!all.ok()) return all.error();
  BatchDone done;
  done.batch = begin_batch(std::string("set ") + to_text(status));
  for (const std::string& address : all.value()) put(list, address, status, reason, text, &done);
  return end_batch(std::move(done));
}

std::vector<std::string> LedgerDesk::lists_of(const std::string& address) {
  std::vector<std::string> lists;
  Statement find = ledger_->database()->prepare("SELECT list FROM address WHERE address = ?");
  find.with(address);
  while (find.row()) lists.push_back(find.text(0));
  return lists;
}

conf::Result<BatchDone> LedgerDesk::remove(const std::vector<std::string>& addresses,
                                           const std::optional<std::string>& list) {
  const conf::Result<std::vector<std::string>> all = spelled_all(addresses);
  if (!all.ok()) return all.error();
  BatchDone done;
  done.batch = begin_batch("remove");
  for (const std::string& address : all.value()) {
    const std::vector<std::string> lists = list ? std::vector{*list} : lists_of(address);
    if (lists.empty()) ++done.left;
    for (const std::string& one : lists) put(one, address, AddressStatus::kValid, 0, {}, &done);
  }
  return end_batch(std::move(done));
}

conf::Result<BatchDone> LedgerDesk::release(AddressFilter filter) {
  if (!filter.status) filter.status = AddressStatus::kQuarantine;
  BatchDone done;
  done.batch = begin_batch("release");
  std::vector<AddressRow> found;
  const conf::Status status = each(filter, [&found](const AddressRow& row) {
    found.push_back(row);
    return true;
  });
  for (size_t i = 0; status.ok() && i < found.size(); ++i) {
    AddressRow row = found[i];
    row.state = set_by_operator(AddressStatus::kValid, 0, now_).state;
    row.by = by_;
    ledger_->write(&found[i], row, now_, done.batch);
    ++done.changed;
  }
  return end_batch(std::move(done));
}

conf::Result<BatchDone> LedgerDesk::undo(uint64_t batch) {
  struct Line {
    AddressRow old;
    AddressStatus set = AddressStatus::kUnknown;
    conf::WallTime at;
    uint64_t sequence = 0;
  };
  BatchDone done;
  done.batch = begin_batch("undo " + std::to_string(batch));
  std::vector<Line> lines;
  {
    Statement find = ledger_->database()->prepare(
        "SELECT list, address, old_status, old_errors, old_reason, old_last_error, old_first_hard, "
        "old_changed, "
        "old_created, text, rule, site, mx_host, status, at, seq, message FROM history WHERE batch = ? ORDER "
        "BY seq "
        "DESC");
    find.with(batch);
    while (batch != 0 && find.row()) {  // 0 stands for what the relay did by itself
      Line line;
      line.old.list = find.text(0);
      line.old.address = find.text(1);
      read_state(find, 2, &line.old.state);
      line.old.created = conf::from_unix_micros(find.integer(8));
      line.old.text = find.text(9);
      line.old.rule = find.text(10);
      line.old.site = find.text(11);
      line.old.mx_host = find.text(12);
      line.set = static_cast<AddressStatus>(find.integer(13));
      line.at = conf::from_unix_micros(find.integer(14));
      line.sequence = static_cast<uint64_t>(find.integer(15));
      line.old.message = static_cast<uint64_t>(find.integer(16));
      lines.push_back(std::move(line));
    }
  }
  for (Line& line : lines) {
    // A batch may have set an address twice: the later lines of its own are put back before this one.
    Statement later = ledger_->database()->prepare(
        "SELECT 1 FROM history WHERE address = ? AND list = ? AND seq > ? AND batch <> ? AND batch <> ?");
    later.with(line.old.address).with(line.old.list).with(line.sequence).with(batch).with(done.batch);
    const bool touched = later.row();
    later.reset();
    if (touched) {
      ++done.left;
      continue;
    }
    const std::optional<AddressRow> present = ledger_->read(line.old.list, line.old.address);
    Statement author = ledger_->database()->prepare(
        "SELECT by FROM history WHERE address = ? AND list = ? AND seq < ? AND batch NOT IN (SELECT id FROM "
        "batch WHERE what = ?) ORDER BY seq DESC LIMIT 1");  // who relabels a row does not make it his
    author.with(line.old.address).with(line.old.list).with(line.sequence).with(kRelabelling);
    const bool known = author.row();
    line.old.by = known ? author.text(0) : by_;  // whose it was before
    author.reset();
    ledger_->write(present ? &*present : nullptr, line.old, now_, done.batch, by_);
    ++done.changed;
  }
  done.decided = take_back_decision(batch, done.batch);
  ledger_->database()->prepare("UPDATE batch SET undone = 1 WHERE id = ?").with(batch).run();
  if (lines.empty() && !done.decided) done.problems.push_back("there is no batch " + std::to_string(batch));
  return end_batch(std::move(done));
}

conf::Result<std::vector<HistoryLine>> LedgerDesk::history(const std::string& address, uint64_t batch,
                                                           uint64_t limit) {
  std::vector<HistoryLine> out;
  {
    Statement find = ledger_->database()->prepare(
        "SELECT seq, batch, at, list, address, text, rule, site, by, old_status, status, reason, message "
        "FROM history "
        "WHERE (?1 = '' OR address = ?1) AND (?2 = 0 OR batch = ?2) ORDER BY seq DESC LIMIT ?3");
    find.with(address).with(batch).with(limit);
    while (find.row()) {
      HistoryLine line;
      line.sequence = static_cast<uint64_t>(find.integer(0));
      line.batch = static_cast<uint64_t>(find.integer(1));
      line.at = conf::from_unix_micros(find.integer(2));
      line.list = find.text(3);
      line.address = find.text(4);
      line.text = find.text(5);
      line.rule = find.text(6);
      line.site = find.text(7);
      line.by = find.text(8);
      line.before = static_cast<AddressStatus>(find.integer(9));
      line.after = static_cast<AddressStatus>(find.integer(10));
      line.reason = static_cast<uint8_t>(find.integer(11));
      line.message = static_cast<uint64_t>(find.integer(12));
      out.push_back(std::move(line));
    }
  }
  const conf::Status status = ledger_->database()->failure();
  if (!status.ok()) return status.error();
  return out;
}

}  // namespace bounce
