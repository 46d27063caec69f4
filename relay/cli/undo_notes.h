// What `penstock qualify undo` needs, one note for each deed that changed what texts mean. They lie beside
// the table of texts, numbered in the order of the deeds. Bounded: of more than kMostNotes, or of more than
// kMostOctets together, the oldest are forgotten; the last deed never is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace relay::cli {

constexpr size_t kMostNotes = 20;
constexpr uint64_t kMostOctets = 256ULL << 20;

// The table as it was, the shipped rules as they were, the batch of the ledger.
struct UndoNote {
  std::string what;
  conf::WallTime at;         // of the deed; the epoch: nobody wrote it down
  std::string shipped;       // a file that was replaced; empty: none was
  std::string shipped_text;  // what it had; nothing: it was not there
  bool shipped_was_there = false;
  uint64_t batch = 0;
  std::string table_text;
};

// False, or nothing, with a message on stderr. `table` is the path of the table, which the caller holds.
bool write_undo_note(const std::string& table, const UndoNote& note);
std::optional<UndoNote> last_undo_note(const std::string& table);
void remove_last_undo_note(const std::string& table);
// The last deed first. Those that cannot be read are left out, with a message.
std::vector<UndoNote> undo_notes(const std::string& table);

}  // namespace relay::cli
