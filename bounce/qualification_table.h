// The table of texts: every text that receivers answered with, by its template, how often and where, and what
// it was decided to mean. Pure: time comes as a parameter, and whoever owns it keeps it. A text that no rule
// reads arrives as To qualify; what an operator decides of a row outranks every rule.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bounce/qualification.h"
#include "bounce/qualifier.h"
#include "conf/vocab/time.h"

namespace bounce {

enum class RowStatus : uint8_t {
  kToQualify,  // unknown: it waits for a decision
  kKeep,       // qualified
  kIgnore,     // qualified: it never counts against an address
};
const char* to_text(RowStatus status);

struct Row {
  uint64_t key = 0;
  std::string first_text;  // the first occurrence, word by word, at most 500 octets
  std::string text;        // its template
  uint32_t occurrences = 0;
  RowStatus status = RowStatus::kToQualify;
  Reason reason = Reason::kNotDefined;
  ErrorType type = ErrorType::kNotDefined;
  Scope scope = Scope::kMessage;
  std::string rule;      // what read it last; "operator" when somebody decided it
  bool decided = false;  // by an operator
  conf::WallTime first_seen, last_seen;
  std::vector<std::pair<std::string, uint32_t>> sites;  // at most kSites, commonest first, about
};

class QualificationTable {
 public:
  static constexpr uint32_t kMostOccurrences = 100'000;  // the count stops there
  static constexpr size_t kSites = 5;
  static constexpr size_t kFirstTextOctets = 500;

  explicit QualificationTable(size_t most_rows = 100'000) : most_rows_(most_rows) {}

  // So many refusals of one text. `site` may be empty. When the table is full, the text seen longest ago that
  // nobody decided goes.
  const Row& note(std::string_view first_text, const Reply& reply, std::string_view site,
                  const Qualification& meaning, conf::WallTime now, uint32_t count = 1);

  const Row* find(uint64_t key) const;
  // By its 16 digits, by as many of its first digits as are clear, or by its template or any text of it.
  const Row* find(std::string_view key_or_text) const;
  std::vector<const Row*> rows() const;  // commonest first

  // Changes a row by an operator's decision. False when there is none of this key.
  bool decide(uint64_t key, const RowVerdict& verdict, RowStatus status);
  bool undecide(uint64_t key);  // rules read it again; its status is To qualify until then
  bool reset(uint64_t key);     // its count is 0
  void put(Row row);            // replaces the row of its key, or adds it

  // What was decided, for a Qualifier.
  std::vector<RowVerdict> verdicts() const;
  // The rows that `qualifier` reads otherwise than the table says: what a change of rules would relabel.
  std::vector<std::pair<const Row*, Qualification>> changes(const Qualifier& qualifier) const;
  // Makes the table say what `qualifier` reads.
  void relabel(const Qualifier& qualifier);

  // Undoes decisions and readings: rows that `before` has say what they said there, counts stay; rows that
  // were decided since are decided no longer.
  void take_back(const QualificationTable& before);

  // A text file, one row a line, fields parted by tabs; the first line names them.
  std::string write() const;
  // Adds to what is there. Rows of an earlier version get the template and the key that their text has now,
  // and keep what was decided of them. The problem is "line N: ...", and then nothing was added.
  std::optional<std::string> read(std::string_view text);

 private:
  void make_room();
  std::map<uint64_t, Row> rows_;
  size_t most_rows_;
};

}  // namespace bounce
