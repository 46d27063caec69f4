// Lists in and out, as CSV.
#include <algorithm>
#include <utility>

#include "bounce/ledger/sqlite_desk.h"
#include "bounce/reason.h"
#include "conf/vocab/ascii.h"

namespace bounce {

namespace {

constexpr size_t kProblemsTold = 10;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // spreadsheets begin a file in UTF-8 with it

std::string seconds(conf::WallTime at) { return std::to_string(conf::unix_micros(at) / 1'000'000); }

// What the columns are. A first row without names is a row like the others, of one address; with more cells
// it is unclear what they mean, and a guess would set addresses to a status that nobody wanted.
enum class Head : uint8_t { kNames, kRow, kUnclear };
Head read_head(const std::vector<std::string>& cells, std::vector<std::string>* columns) {
  for (const std::string& cell : cells) {
    const size_t begin = std::min(cell.find_first_not_of(' '), cell.size());
    columns->push_back(conf::ascii_lower(cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin)));
  }
  if (std::ranges::find(*columns, "address") != columns->end()) return Head::kNames;
  *columns = {"address"};
  return cells.size() == 1 ? Head::kRow : Head::kUnclear;
}

}  // namespace

std::string LedgerDesk::export_header() {
  return "address,list,status,errors,reason,changed,last_error,text,rule,site,mx_host,by\r\n";
}

void LedgerDesk::append_row(const AddressRow& row, std::string* out) {
  const std::string errors = std::to_string(row.state.errors);
  const std::string changed = seconds(row.state.changed), last = seconds(row.state.last_error);
  append_csv({row.address, row.list, to_text(row.state.status), errors,
              to_text(static_cast<Reason>(row.state.reason)), changed, last, row.text, row.rule, row.site,
              row.mx_host, row.by},
             out);
}

bool LedgerDesk::import_row(const std::vector<std::string>& cells, const std::vector<std::string>& columns,
                            AddressStatus status, const std::string& list, BatchDone* done,
                            std::string* problem) {
  std::string address, text, in_list = list;
  uint8_t reason = static_cast<uint8_t>(Reason::kNotDefined);
  for (size_t i = columns.size(); i < cells.size(); ++i) {
    if (cells[i].empty()) continue;
    *problem = "\"" + cells[i] + "\" stands in no column that the first row names";
    return false;
  }
  for (size_t i = 0; i < cells.size() && i < columns.size(); ++i) {
    if (columns[i] == "address") address = cells[i];
    if (columns[i] == "text") text = cells[i];
    if (columns[i] == "list" && !cells[i].empty()) in_list = conf::ascii_lower(cells[i]);
    if (columns[i] == "status" && !cells[i].empty() && !parse_status(conf::ascii_lower(cells[i]), &status)) {
      *problem = "\"" + cells[i] + "\" is not a status";
      return false;
    }
    if (columns[i] == "reason" && !cells[i].empty()) {
      const std::optional<Reason> found = parse_reason(cells[i]);
      if (!found) {
        *problem = "\"" + cells[i] + "\" is not a reason";
        return false;
      }
      reason = static_cast<uint8_t>(*found);
    }
  }
  const conf::Result<std::string> one = spelled(address);
  if (!one.ok()) {
    *problem = "\"" + address + "\": " + one.error().detail;
    return false;
  }
  put(in_list, one.value(), status, reason, text, done);
  return true;
}

conf::Result<BatchDone> LedgerDesk::import(const std::function<std::string()>& read, AddressStatus status,
                                           const std::string& list) {
  BatchDone done;
  done.batch = begin_batch("import");
  CsvReader reader;
  std::vector<std::string> columns, cells;
  uint64_t wrong = 0;
  bool first = true;
  for (bool more = true; more;) {
    const std::string bytes = read();
    more = !bytes.empty();
    if (more) {
      const bool marked = std::exchange(first, false) && bytes.starts_with(kByteOrderMark);
      reader.feed(std::string_view(bytes).substr(marked ? kByteOrderMark.size() : 0));
    } else {
      reader.finish();
    }
    while (reader.next(&cells)) {
      if (cells.size() == 1 && cells.front().empty()) continue;
      if (columns.empty()) {
        const Head head = read_head(cells, &columns);
        if (head == Head::kNames) continue;
        if (head == Head::kUnclear) {
          done.problems.emplace_back(
              "row 1: no column is named \"address\"; let the first row name the columns (address, status, "
              "reason, list, text), or write one address a line; nothing was read");
          return end_batch(std::move(done));
        }
      }
      std::string problem;
      if (import_row(cells, columns, status, list, &done, &problem)) continue;
      ++wrong;
      if (done.problems.size() < kProblemsTold)
        done.problems.push_back("row " + std::to_string(reader.row()) + ": " + problem);
    }
  }
  if (reader.broken())
    done.problems.push_back(
        "row " + std::to_string(reader.row() + 1) +
        ": a quote without an end, or a row of more than 64 KiB; nothing after it was read");
  done.left += wrong;
  return end_batch(std::move(done));
}

}  // namespace bounce
