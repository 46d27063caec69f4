// The file of the table of texts, which the relay and `penstock qualify` both change: whoever changes it
// holds its folder locked from reading to writing, so that no decision and no count is lost.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bounce/qualification_table.h"
#include "conf/config.h"
#include "conf/vocab/result.h"

namespace relay {

// Where the table of a relay is: [replies] table, or beside its spool; empty: it keeps none.
std::string text_table_path(const conf::Config& config);

// Holds the folder of a file; waits for whoever holds it. Blocks: not for the loop.
class FolderLock {
 public:
  explicit FolderLock(const std::string& file);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int folder_ = -1;
};

// The file has the whole text, on disk, or what it had; it keeps its owner.
conf::Status replace_file(const std::string& path, std::string_view text);

// Both under a lock of the caller. A file that is not there yet is an empty table.
conf::Status read_text_table(const std::string& path, bounce::QualificationTable* out);
conf::Status write_text_table(const std::string& path, const bounce::QualificationTable& table);

// Reads, changes and writes it under a lock.
conf::Status change_text_table(const std::string& path,
                               const std::function<void(bounce::QualificationTable*)>& change);

}  // namespace relay
