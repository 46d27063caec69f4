// Text of a template -> its pieces.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "bench/load/template.h"

namespace bench::load {

class Template::Parser {
 public:
  Parser(const std::string& file, std::vector<conf::Problem>* problems, std::vector<Piece>* pieces)
      : file_(file), problems_(problems), pieces_(pieces) {}

  void parse(std::string_view text);

 private:
  void line(std::string_view text);
  size_t brace(std::string_view text, size_t at);
  void place(std::string_view name, std::string_view count, size_t at, std::string_view line);
  void literal(std::string_view text);
  void fault(size_t column, std::string message) {
    problems_->push_back({file_, number_, static_cast<int>(column + 1), std::move(message)});
  }

  const std::string& file_;
  std::vector<conf::Problem>* problems_;
  std::vector<Piece>* pieces_;
  int number_ = 0;
  bool line_start_ = true;
  bool skip_end_ = false;  // {filler} ends its line itself
  bool has_filler_ = false;
};

void Template::Parser::literal(std::string_view text) {
  if (text.empty()) return;
  if (pieces_->empty() || pieces_->back().field != Field::kLiteral) {
    pieces_->emplace_back();
    pieces_->back().at_line_start = line_start_;
  }
  Piece& piece = pieces_->back();
  piece.text.append(text);
  if (line_start_ && text[0] == '.') piece.stuffed.push_back('.');
  piece.stuffed.append(text);
  line_start_ = text.back() == '\n';
}

void Template::Parser::place(std::string_view name, std::string_view count, size_t at,
                             std::string_view line) {
  static constexpr struct {
    const char* name;
    Field field;
  } kFields[] = {{"recipient", Field::kRecipient}, {"local", Field::kLocal},   {"domain", Field::kDomain},
                 {"from", Field::kFrom},           {"number", Field::kNumber}, {"id", Field::kId},
                 {"date", Field::kDate},           {"random", Field::kRandom}, {"filler", Field::kFiller}};
  Piece piece;
  piece.at_line_start = line_start_;
  for (const auto& known : kFields)
    if (name == known.name) piece.field = known.field;
  if (piece.field == Field::kLiteral) {
    return fault(
        at,
        "unknown placeholder {" + std::string(name) +
            "}; there are {recipient} {local} {domain} {from} {number} {id} {date} {random} {filler}, and {{ "
            "is a brace");
  }
  if (piece.field == Field::kRandom) {
    piece.digits = 8;
    const auto parsed = std::from_chars(count.data(), count.data() + count.size(), piece.digits);
    if (!count.empty() && (parsed.ec != std::errc() || parsed.ptr != count.data() + count.size() ||
                           piece.digits < 1 || piece.digits > 900))
      return fault(at, "{random:N} takes a number from 1 to 900");
  } else if (!count.empty()) {
    return fault(at, "{" + std::string(name) + "} takes no number");
  }
  if (piece.field == Field::kFiller) {
    if (line != "{filler}") return fault(at, "{filler} stands alone in its line");
    if (has_filler_) return fault(at, "{filler} may stand in a message once only");
    has_filler_ = skip_end_ = true;
  }
  pieces_->push_back(std::move(piece));
  line_start_ = has_filler_ && skip_end_;
}

// At an opening brace; returns where to go on.
size_t Template::Parser::brace(std::string_view text, size_t at) {
  if (text.substr(at, 2) == "{{") {
    literal("{");
    return at + 2;
  }
  size_t end = at + 1;
  while (end < text.size() && (std::isalpha(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
    ++end;
  const std::string_view name = text.substr(at + 1, end - at - 1);
  std::string_view count;
  if (!name.empty() && end < text.size() && text[end] == ':') {
    const size_t close = text.find('}', end);
    if (close != std::string_view::npos &&
        text.substr(end + 1, close - end - 1).find_first_not_of("0123456789") == std::string_view::npos) {
      count = text.substr(end + 1, close - end - 1);
      end = close;
    }
  }
  if (name.empty() || end >= text.size() || text[end] != '}') {
    literal("{");  // no placeholder: a style sheet, say
    return at + 1;
  }
  place(name, count, at, text);
  return end + 1;
}

void Template::Parser::line(std::string_view text) {
  skip_end_ = false;
  if (text.size() > 998)
    fault(998, "a line of " + std::to_string(text.size()) + " characters; at most 998 (RFC 5322 §2.1.1)");
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '{') {
      at = brace(text, at);
      continue;
    }
    const size_t next = std::min(text.find('{', at), text.size());
    literal(text.substr(at, next - at));
    at = next;
  }
  if (!skip_end_) literal("\r\n");
}

void Template::Parser::parse(std::string_view text) {
  bool in_header = true;
  bool has_id = false;
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!one.empty() && one.back() == '\r') one.remove_suffix(1);
    lines.push_back(one);
    in_header = in_header && !one.empty();
    std::string name(one.substr(0, 10));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    has_id = has_id || (in_header && name == "x-load-id:");
  }
  number_ = 1;
  if (!has_id) line("X-Load-Id: {id}");
  number_ = 0;
  in_header = true;
  for (const std::string_view one : lines) {
    ++number_;
    if (one.empty()) in_header = false;
    const size_t colon = one.find(':');
    if (in_header && one[0] != ' ' && one[0] != '\t' &&
        (colon == std::string_view::npos || colon == 0 || one.find(' ') < colon))
      fault(0, "no header field; a message begins with fields such as 'Subject: text', then an empty line");
    line(one);
  }
  if (in_header) fault(0, "the message has no empty line behind its header fields");
}

Template Template::parse(const std::string& file, std::string_view text, std::string_view filler,
                         std::vector<conf::Problem>* problems) {
  Template made;
  made.filler_ = filler;
  Parser(file, problems, &made.pieces_).parse(text);
  return made;
}

}  // namespace bench::load
