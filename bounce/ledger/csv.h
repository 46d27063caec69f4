// Comma-separated values (RFC 4180) that a spreadsheet cannot be made to run: a cell that begins with = + - @
// or a control character is written with an apostrophe before it, and read back without. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bounce {

// Appends one line with its CRLF.
void append_csv(const std::vector<std::string_view>& cells, std::string* out);

// Takes bytes in any pieces, gives rows. LF alone ends a row too; a quoted cell may hold line ends.
class CsvReader {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  void finish() { finished_ = true; }
  // True: a row. False: more bytes are needed, or it is all (or broken(): a quote without an end, or a row
  // beyond 64 KiB).
  bool next(std::vector<std::string>* cells);
  bool broken() const { return broken_; }
  uint64_t row() const { return row_; }  // of the latest row, from 1

 private:
  std::string buffer_;
  size_t at_ = 0;
  bool finished_ = false;
  bool broken_ = false;
  uint64_t row_ = 0;
};

}  // namespace bounce
