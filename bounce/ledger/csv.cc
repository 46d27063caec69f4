#include "bounce/ledger/csv.h"

namespace bounce {

namespace {

constexpr size_t kMaxRow = 65'536;

// A cell that a spreadsheet would take for a formula, perhaps behind apostrophes of ours.
bool is_dangerous(std::string_view cell) {
  const size_t at = cell.find_first_not_of('\'');
  return at != std::string_view::npos &&
         std::string_view("=+-@\t\r").find(cell[at]) != std::string_view::npos;
}

void append_cell(std::string_view cell, std::string* out) {
  const bool dangerous = is_dangerous(cell);
  if (!dangerous && cell.find_first_of("\",\r\n") == std::string_view::npos) {
    out->append(cell);
    return;
  }
  out->push_back('"');
  if (dangerous) out->push_back('\'');
  for (const char c : cell) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

void finish_cell(std::string* cell, std::vector<std::string>* cells) {
  if (!cell->empty() && cell->front() == '\'' && is_dangerous(*cell)) cell->erase(0, 1);
  cells->push_back(std::move(*cell));
  cell->clear();
}

}  // namespace

void append_csv(const std::vector<std::string_view>& cells, std::string* out) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) out->push_back(',');
    append_cell(cells[i], out);
  }
  out->append("\r\n");
}

bool CsvReader::next(std::vector<std::string>* cells) {
  cells->clear();
  if (broken_) return false;
  std::string cell;
  bool quoted = false;
  for (size_t at = at_; at < buffer_.size(); ++at) {
    if (at - at_ > kMaxRow) {
      broken_ = true;
      return false;
    }
    const char c = buffer_[at];
    if (quoted) {
      if (c != '"') {
        cell.push_back(c);
      } else if (at + 1 < buffer_.size() && buffer_[at + 1] == '"') {
        cell.push_back('"');
        ++at;
      } else if (at + 1 == buffer_.size() && !finished_) {
        break;  // it may be the first of two
      } else {
        quoted = false;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = true;
    } else if (c == ',') {
      finish_cell(&cell, cells);
    } else if (c == '\n') {
      if (!cell.empty() && cell.back() == '\r') cell.pop_back();
      finish_cell(&cell, cells);
      at_ = at + 1;
      ++row_;
      if (at_ > kMaxRow) {
        buffer_.erase(0, at_);
        at_ = 0;
      }
      return true;
    } else {
      cell.push_back(c);
    }
  }
  const bool rest = finished_ && at_ < buffer_.size();
  if (rest && quoted) broken_ = true;
  if (!rest || quoted) {
    cells->clear();
    return false;
  }
  if (!cell.empty() && cell.back() == '\r') cell.pop_back();
  finish_cell(&cell, cells);
  at_ = buffer_.size();
  ++row_;
  return true;
}

}  // namespace bounce
