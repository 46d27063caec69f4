#include "bounce/ledger/sqlite_database.h"

namespace bounce {

namespace {

constexpr int kBusyMilliseconds = 5000;

conf::ErrorCode code_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return conf::ErrorCode::kCorrupt;
    case SQLITE_FULL:
      return conf::ErrorCode::kNoSpace;
    case SQLITE_READONLY:
      return conf::ErrorCode::kReadOnly;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return conf::ErrorCode::kUnavailable;
    default:
      return conf::ErrorCode::kIo;
  }
}

}  // namespace

std::string glob(std::string_view mask) {
  std::string out;
  for (const char c : mask) {
    if (c == '[') {
      out += "[[]";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Statement& Statement::with_integer(int64_t value) {
  owner_->note(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}
Statement& Statement::with(double value) {
  owner_->note(sqlite3_bind_double(statement_, ++bound_, value));
  return *this;
}
Statement& Statement::with(std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  owner_->note(
      sqlite3_bind_text(statement_, ++bound_, data, static_cast<int>(text.size()), SQLITE_TRANSIENT));
  return *this;
}

bool Statement::row() {
  if (statement_ == nullptr || owner_->failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) owner_->note(code);
  return false;
}

void Statement::run() {
  while (row()) {
  }
  reset();
}

void Statement::reset() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
  bound_ = 0;
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }
std::string Statement::text(int column) const { return std::string(view(column)); }

std::string_view Statement::view(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr
             ? std::string_view()
             : std::string_view(data, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

conf::Result<std::unique_ptr<Database>> Database::open(const std::string& path, Mode mode) {
  std::unique_ptr<Database> database(new Database(path));
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  database->note(sqlite3_open_v2(path.c_str(), &database->handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr));
  if (!database->failed()) {
    sqlite3_busy_timeout(database->handle_, kBusyMilliseconds);
    sqlite3_extended_result_codes(database->handle_, 1);
    // Decisions are synced with each batch: what was logged is not lost to a power cut.
    if (mode == Mode::kReadWrite)
      database->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF");
    database->execute("PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY");
    database->execute("SELECT count(*) FROM sqlite_schema");  // reads the first page
  }
  conf::Status status = database->failure();
  if (!status.ok()) return status.error();
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Statement Database::prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr && !failed())
    note(sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  if (statement != nullptr) sqlite3_reset(statement);
  return Statement(statement, this);
}

void Database::execute(const char* sql) {
  if (!failed()) note(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr));
}

int64_t Database::changes() const { return sqlite3_changes64(handle_); }
int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }

int64_t Database::data_version() {
  Statement statement = prepare("PRAGMA data_version");
  return statement.row() ? statement.integer(0) : 0;
}

conf::Status Database::commit() {
  execute("COMMIT");
  conf::Status status = failure();
  if (!status.ok()) {
    if (sqlite3_get_autocommit(handle_) == 0) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    clear_failure();
  }
  return status;
}

conf::Status Database::failure() const {
  if (code_ == SQLITE_OK) return conf::success();
  const conf::ErrorCode code = code_of(code_);
  std::string detail = path_ + ": " + message_;
  if (code == conf::ErrorCode::kUnavailable)
    detail += "; another process writes to it: try again when it is done";
  return conf::Error{code, std::move(detail)};
}

void Database::note(int code) {
  if (code == SQLITE_OK || failed()) return;
  code_ = code;
  message_ = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
}

}  // namespace bounce
