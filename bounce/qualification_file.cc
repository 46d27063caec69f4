// The table of texts as a file.
#include <algorithm>
#include <array>
#include <charconv>

#include "bounce/diagnostic.h"
#include "bounce/qualification_table.h"
#include "bounce/text_template.h"

namespace bounce {
namespace {

constexpr const char* kHead =
    "row\tstatus\treason\ttype\tscope\toccurrences\tfirst_seen\tlast_seen\tdecided\trule\tsites\ttext\tfirst_"
    "text\ttemplates-2\n";
constexpr std::string_view kMadeAsNow = "\ttemplates-2";  // else the keys are those of an earlier version
constexpr size_t kFields = 13;

void append_escaped(std::string_view text, std::string* out) {
  for (const char c : text) {
    if (c == '\t') {
      *out += "\\t";
    } else if (c == '\n' || c == '\r') {
      *out += "\\n";
    } else if (c == '\\') {
      *out += "\\\\";
    } else {
      *out += c;
    }
  }
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<int64_t> number(std::string_view text, int base = 10) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<int64_t>(value);
}

template <typename Word>
bool read_word(std::string_view text, std::initializer_list<Word> words, Word* out) {
  for (const Word word : words) {
    if (text != to_text(word)) continue;
    *out = word;
    return true;
  }
  return false;
}

// "mx1.x.example,mx2.x.example=3,mx.y.example=1": a site of several hosts has commas in its name, and its
// count after the last of them.
bool read_sites(std::string_view text, Row* row) {
  while (!text.empty()) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) return false;
    const size_t end = std::min(text.find(',', equals), text.size());
    const std::optional<int64_t> count = number(text.substr(equals + 1, end - equals - 1));
    if (!count || row->sites.size() == QualificationTable::kSites) return false;
    row->sites.emplace_back(text.substr(0, equals), static_cast<uint32_t>(std::clamp<int64_t>(
                                                        *count, 0, QualificationTable::kMostOccurrences)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

// What is wrong with the fields; empty when nothing is.
std::string read_row(const std::array<std::string_view, kFields>& fields, Row* row) {
  const std::optional<int64_t> key = number(fields[0], 16);
  if (!key || fields[0].size() != 16) return "row is not 16 hexadecimal digits";
  row->key = static_cast<uint64_t>(*key);
  if (!read_word(fields[1], {RowStatus::kToQualify, RowStatus::kKeep, RowStatus::kIgnore}, &row->status))
    return "status is not to-qualify, keep or ignore";
  const std::optional<Reason> reason = parse_reason(fields[2]);
  if (!reason) return "\"" + std::string(fields[2]) + "\" is no reason";
  row->reason = *reason;
  if (!read_word(fields[3], {ErrorType::kHard, ErrorType::kSoft, ErrorType::kIgnored, ErrorType::kNotDefined},
                 &row->type))
    return "type is not hard, soft, ignored or not-defined";
  if (!read_word(fields[4],
                 {Scope::kRecipient, Scope::kMessage, Scope::kConnection, Scope::kSite, Scope::kSender},
                 &row->scope))
    return "scope is not recipient, message, connection, site or sender";
  const std::optional<int64_t> count = number(fields[5]), first = number(fields[6]), last = number(fields[7]);
  if (!count || *count < 0 || !first || !last) return "occurrences, first_seen and last_seen are numbers";
  row->occurrences = static_cast<uint32_t>(std::min<int64_t>(*count, QualificationTable::kMostOccurrences));
  row->first_seen = conf::from_unix_micros(*first * 1'000'000);
  row->last_seen = conf::from_unix_micros(*last * 1'000'000);
  if (fields[8] != "yes" && fields[8] != "no") return "decided is not yes or no";
  row->decided = fields[8] == "yes";
  row->rule = unescaped(fields[9]);
  if (!read_sites(fields[10], row)) return "sites is not a list such as mx.some.example=3,mx.other.example=1";
  row->text = unescaped(fields[11]);
  row->first_text = unescaped(fields[12]);
  if (row_key(row->text) != row->key) return "row is not the key of its text";
  return {};
}

// The row by the template that its text has now. Of a text that was cut its template says more.
void bring_up_to_date(Row* row) {
  const bool whole =
      !row->first_text.empty() && row->first_text.size() < QualificationTable::kFirstTextOctets;
  row->text = text_template(read_diagnostic(whole ? row->first_text : row->text));
  row->key = row_key(row->text);
}

// Two rows are one now: what was decided stays, of two decisions that on the text seen last.
Row merged(Row a, Row b) {
  if (a.decided == b.decided ? b.last_seen > a.last_seen : b.decided) std::swap(a, b);
  a.occurrences = std::min(a.occurrences + b.occurrences, QualificationTable::kMostOccurrences);
  a.first_seen = std::min(a.first_seen, b.first_seen);
  a.last_seen = std::max(a.last_seen, b.last_seen);
  return a;
}

}  // namespace

std::string QualificationTable::write() const {
  std::string out = kHead;
  for (const Row* row : rows()) {
    out += row_text(row->key) + '\t' + to_text(row->status) + '\t' + to_text(row->reason) + '\t' +
           to_text(row->type) + '\t' + to_text(row->scope) + '\t' + std::to_string(row->occurrences) + '\t' +
           std::to_string(conf::unix_micros(row->first_seen) / 1'000'000) + '\t' +
           std::to_string(conf::unix_micros(row->last_seen) / 1'000'000) + '\t' +
           (row->decided ? "yes" : "no") + '\t';
    append_escaped(row->rule, &out);
    out += '\t';
    for (size_t i = 0; i < row->sites.size(); ++i) {
      if (i > 0) out += ',';
      append_escaped(row->sites[i].first, &out);
      out += '=' + std::to_string(row->sites[i].second);
    }
    out += '\t';
    append_escaped(row->text, &out);
    out += '\t';
    append_escaped(row->first_text, &out);
    out += '\n';
  }
  return out;
}

std::optional<std::string> QualificationTable::read(std::string_view text) {
  std::vector<Row> fresh;
  size_t line_number = 0;
  bool made_as_now = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (++line_number == 1 && line.starts_with("row\t")) {
      made_as_now = line.ends_with(kMadeAsNow);
      continue;
    }
    if (line.empty()) continue;
    std::array<std::string_view, kFields> fields;
    size_t count = 0;
    for (std::string_view rest = line; count <= kFields; ++count) {
      const size_t tab = rest.find('\t');
      if (count < kFields) fields[count] = rest.substr(0, tab);
      if (tab == std::string_view::npos) break;
      rest.remove_prefix(tab + 1);
    }
    const std::string where = "line " + std::to_string(line_number) + ": ";
    if (count + 1 != kFields) return where + "has not " + std::to_string(kFields) + " fields parted by tabs";
    Row row;
    const std::string problem = read_row(fields, &row);
    if (!problem.empty()) return where + problem;
    fresh.push_back(std::move(row));
  }
  if (!made_as_now) {
    std::map<uint64_t, Row> by_key;
    for (Row& row : fresh) {
      bring_up_to_date(&row);
      const auto [same, first] = by_key.try_emplace(row.key, row);
      if (!first) same->second = merged(std::move(same->second), std::move(row));
    }
    fresh.clear();
    for (auto& [key, row] : by_key) fresh.push_back(std::move(row));
  }
  for (Row& row : fresh) put(std::move(row));
  return std::nullopt;
}

}  // namespace bounce
