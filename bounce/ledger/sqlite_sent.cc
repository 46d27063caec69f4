#include "bounce/ledger/sqlite_sent.h"

#include <algorithm>
#include <utility>

#include "bounce/ledger/address_key.h"
#include "bounce/ledger/sqlite_ledger.h"
#include "conf/vocab/ascii.h"

namespace bounce {

namespace {

// `whom` and `id_hash` are fingerprints, for small indices; the texts beside them decide.
const char* const kSentTables = R"(
CREATE TABLE IF NOT EXISTS sent(
  message INTEGER NOT NULL, whom INTEGER NOT NULL, at INTEGER NOT NULL, id_hash INTEGER NOT NULL,
  with_token INTEGER NOT NULL, recipient TEXT NOT NULL, sender TEXT NOT NULL, site TEXT NOT NULL,
  source TEXT NOT NULL, envid TEXT NOT NULL, message_id TEXT NOT NULL, fields TEXT NOT NULL,
  stream TEXT NOT NULL DEFAULT '', user TEXT NOT NULL DEFAULT '',
  PRIMARY KEY(message, whom)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_whom ON sent(whom);
CREATE INDEX IF NOT EXISTS sent_id ON sent(id_hash, whom);
)";
constexpr int kMostLooked = 64;  // rows that share a fingerprint; the latest ones

// An id is below 2^63: milliseconds since 1970 times 2^20 (relay/spool/message_ids.h).
int64_t first_id_of(conf::WallTime time) {
  return std::max<int64_t>(conf::unix_micros(time) / 1000, 0) * (int64_t{1} << 20);
}

int64_t fingerprint(std::string_view text) { return static_cast<int64_t>(siphash({0, 0}, text)); }

// A name has no colon and a value no line end.
std::string one_text(const conf::LoggedHeaderPtr& header) {
  std::string out;
  if (header == nullptr) return out;
  for (const auto& [name, value] : header->fields) {
    out += name;
    out += ':';
    out += value;
    out += '\n';
  }
  return out;
}

conf::LoggedHeaderPtr header_of(std::string message_id, std::string_view fields) {
  if (message_id.empty() && fields.empty()) return nullptr;
  auto header = std::make_shared<conf::LoggedHeader>();
  header->message_id = std::move(message_id);
  while (!fields.empty()) {
    const size_t end = std::min(fields.find('\n'), fields.size() - 1);
    const std::string_view field = fields.substr(0, end);
    const size_t colon = std::min(field.find(':'), field.size());
    header->fields.emplace_back(field.substr(0, colon), field.substr(std::min(colon + 1, field.size())));
    fields.remove_prefix(end + 1);
  }
  return header;
}

// Of a file that an older version made.
void add_missing(Database* database, const std::string& column) {
  Statement found = database->prepare("SELECT count(*) FROM pragma_table_info('sent') WHERE name = ?");
  if (!found.with(std::string_view(column)).row() || found.integer(0) != 0) return;
  database->execute(("ALTER TABLE sent ADD COLUMN " + column + " TEXT NOT NULL DEFAULT ''").c_str());
}

// A statement that gives what read_mail() takes.
std::string mail_where(const std::string& condition) {
  return "SELECT message, at, with_token, recipient, sender, site, source, envid, message_id, fields, "
         "stream, "
         "user FROM sent WHERE " +
         condition;
}

SentMail read_mail(const Statement& row) {
  SentMail mail;
  mail.message = static_cast<uint64_t>(row.integer(0));
  mail.at = conf::from_unix_micros(row.integer(1));
  mail.with_token = row.integer(2) != 0;
  mail.recipient = row.text(3);
  mail.sender = row.text(4);
  mail.site = row.text(5);
  mail.source = row.text(6);
  mail.envid = row.text(7);
  mail.header = header_of(row.text(8), row.view(9));
  mail.stream = row.text(10);
  mail.user = row.text(11);
  return mail;
}

bool has_id(const SentMail& mail, std::string_view message_id) {
  return mail.header != nullptr && mail.header->message_id == message_id;
}

}  // namespace

conf::Result<std::unique_ptr<SqliteSent>> SqliteSent::open(const std::string& path, conf::WallTime now,
                                                           std::string* warning) {
  auto opened = open_once(path);
  if (opened.ok() || opened.error().code != conf::ErrorCode::kCorrupt) return opened;
  *warning = opened.error().detail;
  *warning += "; it is kept as ";
  *warning += set_aside(path, now);
  *warning += " and a new one is begun: reports without a token about older mail are not matched";
  return open_once(path);
}

conf::Result<std::unique_ptr<SqliteSent>> SqliteSent::open_once(const std::string& path) {
  auto database = Database::open(path, Database::Mode::kReadWrite);
  if (!database.ok()) return database.error();
  std::unique_ptr<SqliteSent> sent(new SqliteSent(std::move(*database)));
  sent->database_->begin();
  sent->database_->execute(kSentTables);
  for (const char* column : {"stream", "user"}) add_missing(sent->database_.get(), column);
  {
    Statement count = sent->database_->prepare("SELECT count(*) FROM sent");
    if (count.row()) sent->rows_ = static_cast<uint64_t>(count.integer(0));
  }
  const conf::Status status = sent->database_->commit();
  if (!status.ok()) return status.error();
  return sent;
}

void SqliteSent::put(const SentMail& mail) {
  const std::string recipient = conf::ascii_lower(mail.recipient);
  const std::string fields = one_text(mail.header);
  const std::string_view id =
      mail.header == nullptr ? std::string_view() : std::string_view(mail.header->message_id);
  Statement row = database_->prepare(
      "INSERT OR IGNORE INTO sent(message, whom, at, id_hash, with_token, recipient, sender, site, source, "
      "envid, message_id, fields, stream, user) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  row.with(mail.message).with(fingerprint(recipient)).with(conf::unix_micros(mail.at)).with(fingerprint(id));
  row.with(static_cast<int>(mail.with_token))
      .with(std::string_view(recipient))
      .with(std::string_view(mail.sender));
  row.with(std::string_view(mail.site))
      .with(std::string_view(mail.source))
      .with(std::string_view(mail.envid));
  row.with(id)
      .with(std::string_view(fields))
      .with(std::string_view(mail.stream))
      .with(std::string_view(mail.user))
      .run();
  rows_ += static_cast<uint64_t>(database_->changes());
}

conf::Status SqliteSent::add(const std::vector<SentMail>& mails) {
  const uint64_t before = rows_;
  database_->begin();
  for (const SentMail& mail : mails) put(mail);
  conf::Status status = database_->commit();
  if (!status.ok()) rows_ = before;
  return status;
}

conf::Status SqliteSent::forget(conf::WallTime before, uint64_t most, uint64_t limit) {
  const uint64_t rows = rows_;
  database_->begin();
  // What was accepted later was sent later.
  database_
      ->prepare(
          "DELETE FROM sent WHERE (message, whom) IN (SELECT message, whom FROM sent WHERE message < ? AND "
          "at "
          "< ? ORDER BY message LIMIT ?)")
      .with(first_id_of(before))
      .with(conf::unix_micros(before))
      .with(limit)
      .run();
  rows_ -= std::min(rows_, static_cast<uint64_t>(database_->changes()));
  if (rows_ > most) {
    database_
        ->prepare(
            "DELETE FROM sent WHERE (message, whom) IN (SELECT message, whom FROM sent ORDER BY message "
            "LIMIT "
            "?)")
        .with(std::min(rows_ - most, limit))
        .run();
    rows_ -= std::min(rows_, static_cast<uint64_t>(database_->changes()));
  }
  conf::Status status = database_->commit();
  if (!status.ok()) rows_ = rows;
  return status;
}

std::optional<SentMail> SqliteSent::find(uint64_t message, std::string_view recipient) {
  const std::string folded = conf::ascii_lower(recipient);
  static const std::string kSql = mail_where("message = ? AND whom = ?");
  Statement row = database_->prepare(kSql.c_str());
  row.with(message).with(fingerprint(folded));
  std::optional<SentMail> found;
  if (row.row()) found = read_mail(row);
  database_->clear_failure();
  if (found && found->recipient != folded) found.reset();
  return found;
}

std::optional<SentMail> SqliteSent::of_message(uint64_t message) {
  static const std::string kSql = mail_where("message = ? LIMIT 1");
  Statement row = database_->prepare(kSql.c_str());
  row.with(message);
  std::optional<SentMail> found;
  if (row.row()) found = read_mail(row);
  database_->clear_failure();
  return found;
}

std::optional<SentMail> SqliteSent::fitting(uint64_t message, const SentMemory::Fits& fits) {
  static const std::string kSql = mail_where("message = ? LIMIT ?");
  Statement rows = database_->prepare(kSql.c_str());
  rows.with(message).with(static_cast<uint64_t>(SentMemory::kMostAsked));
  std::optional<SentMail> found;
  while (!found && rows.row()) {
    if (fits(rows.text(3))) found = read_mail(rows);
  }
  database_->clear_failure();
  return found;
}

std::optional<SentMail> SqliteSent::with_id(std::string_view message_id, std::string_view recipient,
                                            conf::WallTime after) {
  const std::string folded = conf::ascii_lower(recipient);
  static const std::string kSql = mail_where("id_hash = ? AND whom = ? ORDER BY message DESC LIMIT ?");
  Statement rows = database_->prepare(kSql.c_str());
  rows.with(fingerprint(message_id)).with(fingerprint(folded)).with(kMostLooked);
  std::optional<SentMail> found;
  while (!found && rows.row()) {
    SentMail mail = read_mail(rows);
    if (mail.at > after && mail.recipient == folded && has_id(mail, message_id)) found = std::move(mail);
  }
  database_->clear_failure();
  return found;
}

std::optional<SentMail> SqliteSent::with_id(std::string_view message_id, conf::WallTime after, bool* alone) {
  static const std::string kSql = mail_where("id_hash = ? LIMIT ?");
  Statement rows = database_->prepare(kSql.c_str());
  rows.with(fingerprint(message_id)).with(kMostLooked);
  std::optional<SentMail> found;
  *alone = true;
  while (rows.row()) {
    SentMail mail = read_mail(rows);
    if (mail.at <= after || !has_id(mail, message_id)) continue;
    if (found) *alone = false;
    found = std::move(mail);
  }
  database_->clear_failure();
  return found;
}

std::optional<SentMail> SqliteSent::latest_to(std::string_view recipient, conf::WallTime after) {
  const std::string folded = conf::ascii_lower(recipient);
  static const std::string kSql = mail_where("whom = ? ORDER BY message DESC LIMIT ?");
  Statement rows = database_->prepare(kSql.c_str());
  rows.with(fingerprint(folded)).with(kMostLooked);
  std::optional<SentMail> found;
  while (!found && rows.row()) {
    SentMail mail = read_mail(rows);
    if (mail.at > after && mail.recipient == folded) found = std::move(mail);
  }
  database_->clear_failure();
  return found;
}

}  // namespace bounce
