// What was sent lately, in a SQLite file of its own (WAL). Its rows stand in the order of acceptance, so that
// new ones go to the end and old ones leave from the front. Not for the loop; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bounce/ledger/sqlite_database.h"
#include "bounce/sent_memory.h"
#include "conf/vocab/result.h"

namespace bounce {

class SqliteSent {
 public:
  // Makes the file when it is not there; a damaged one is set aside, and `*warning` says so.
  static conf::Result<std::unique_ptr<SqliteSent>> open(const std::string& path, conf::WallTime now,
                                                        std::string* warning);

  // All of them in one transaction; what is there already stays as it is.
  conf::Status add(const std::vector<SentMail>& mails);
  // Of what was sent before `before`, and beyond `most` rows the oldest, at most `limit` rows of each.
  conf::Status forget(conf::WallTime before, uint64_t most, uint64_t limit);
  uint64_t rows() const { return rows_; }

  // See SentMemory.
  std::optional<SentMail> find(uint64_t message, std::string_view recipient);
  std::optional<SentMail> of_message(uint64_t message);
  std::optional<SentMail> fitting(uint64_t message, const SentMemory::Fits& fits);
  std::optional<SentMail> with_id(std::string_view message_id, std::string_view recipient,
                                  conf::WallTime after);
  std::optional<SentMail> with_id(std::string_view message_id, conf::WallTime after, bool* alone);
  std::optional<SentMail> latest_to(std::string_view recipient, conf::WallTime after);

 private:
  explicit SqliteSent(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  static conf::Result<std::unique_ptr<SqliteSent>> open_once(const std::string& path);
  void put(const SentMail& mail);

  std::unique_ptr<Database> database_;
  uint64_t rows_ = 0;
};

}  // namespace bounce
