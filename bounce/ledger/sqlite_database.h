// SQLite as this folder uses it: prepared statements only, so that no text of the outside is ever read as
// SQL. A failure sticks to the database until clear_failure(): code asks once at the end of a transaction.
// Blocks on the disk; one thread at a time.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "conf/vocab/result.h"

namespace bounce {

// A mask of ours, which has * and ? only, as GLOB reads it.
std::string glob(std::string_view mask);

class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement, class Database* owner) : statement_(statement), owner_(owner) {}
  ~Statement() { reset(); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // In the order of the ?.
  template <std::integral T>
  Statement& with(T value) {
    return with_integer(static_cast<int64_t>(value));
  }
  Statement& with(double value);
  Statement& with(std::string_view text);  // borrowed until reset
  bool row();                              // true: there is a(nother) row. False: the end, or a failure
  void run();  // for what gives no rows; leaves the statement ready for the next values
  void reset();

  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string_view view(int column) const;  // the same, until the next row

 private:
  Statement& with_integer(int64_t value);

  sqlite3_stmt* statement_;
  class Database* owner_;
  int bound_ = 0;
};

class Database {
 public:
  enum class Mode : uint8_t { kReadWrite, kReadOnly };
  // WAL, waits up to 5 s for another process. kCorrupt when it is no database or damaged.
  static conf::Result<std::unique_ptr<Database>> open(const std::string& path, Mode mode);
  ~Database();

  // Compiled once, kept. `sql` is a literal of ours.
  Statement prepare(const char* sql);
  void execute(const char* sql);  // several statements, without values
  int64_t changes() const;        // rows that the latest statement changed
  int64_t last_row() const;
  int64_t data_version();  // changes when another connection wrote

  void begin() { execute("BEGIN IMMEDIATE"); }
  conf::Status commit();  // or rolls back, when anything failed since begin()
  conf::Status failure() const;
  void clear_failure() { code_ = SQLITE_OK; }
  bool failed() const { return code_ != SQLITE_OK; }
  void note(int code);  // of a call of the library

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}
  std::string path_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  int code_ = SQLITE_OK;
  std::string message_;
};

}  // namespace bounce
