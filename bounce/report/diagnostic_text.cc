#include "bounce/report/diagnostic_text.h"

#include <algorithm>

#include "bounce/report/text.h"

namespace bounce::report {
namespace {

bool is_word(char c) { return is_letter(c) || is_digit(c); }

// The length of a status at `at`, 0 when there is none.
size_t status_length(std::string_view text, size_t at) {
  if (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')) return 0;
  if (text[at] != '2' && text[at] != '4' && text[at] != '5') return 0;
  size_t end = at + 1;
  for (int group = 0; group < 2; ++group) {
    if (end >= text.size() || text[end] != '.') return 0;
    const size_t begin = ++end;
    while (end < text.size() && is_digit(text[end]) && end - begin < 4) ++end;
    if (end == begin || end - begin > 3) return 0;
  }
  if (end < text.size() && is_word(text[end])) return 0;
  const bool goes_on = end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]);
  return goes_on ? 0 : end - at;
}

// Words before a number that make it a reply code wherever it stands.
bool announces_code(std::string_view before) {
  before = trimmed(before);
  while (!before.empty() && !is_word(before.back())) before.remove_suffix(1);
  for (const std::string_view word :
       {"code", "error", "said", "smtp", "response", "responsecode", "status", "reason", "returned"}) {
    if (before.size() >= word.size() && equal_ignoring_case(before.substr(before.size() - word.size()), word))
      return true;
  }
  return false;
}

bool is_code(std::string_view text, size_t at) {
  return at + 3 <= text.size() && (text[at] == '4' || text[at] == '5') && text[at + 1] >= '0' &&
         text[at + 1] <= '7' && is_digit(text[at + 2]);
}

uint16_t code_value(std::string_view text, size_t at) {
  return static_cast<uint16_t>((text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0'));
}

// "550-5.1.1 The account 550-5.1.1 does not exist" -> the code and status only at the front, behind which the
// words begin at `length`.
std::string with_one_code(std::string_view line, size_t length) {
  const std::string_view code = line.substr(0, 3);
  const std::string_view words = line.substr(length);
  const std::string_view status = words.empty() ? words : words.substr(0, status_length(words, 0));
  // How far a repeat reaches that begins at `at`; 0: there is none.
  const auto repeat = [&](size_t at) -> size_t {
    if (words.substr(at, 3) != code || at + 3 >= words.size()) return 0;
    const bool goes_on = words[at + 3] == '-';
    const bool same = !status.empty() && words.substr(at + 4).starts_with(status);
    if (!goes_on && (words[at + 3] != ' ' || !same)) return 0;
    return 4 + (same ? status.size() : 0);
  };
  std::string out(code);
  if (!words.empty()) out += ' ';
  for (size_t at = 0; at < words.size();) {
    out += words[at++];
    if (out.back() != ' ') continue;
    for (size_t length_there = 0; (length_there = repeat(at)) > 0;) {
      at = std::min(at + length_there, words.size());
      while (at < words.size() && words[at] == ' ') ++at;
    }
  }
  return out;
}

}  // namespace

std::string find_status(std::string_view text) {
  std::string vague;
  std::string good;
  for (size_t at = 0; at + 5 <= text.size(); ++at) {
    if (!is_digit(text[at])) continue;
    const size_t length = status_length(text, at);
    if (length == 0) continue;
    const std::string_view found = text.substr(at, length);
    std::string& less = found.front() == '2' ? good : vague;
    if (found.front() != '2' && !is_vague_status(found)) return std::string(found);
    if (less.empty()) less = std::string(found);
    at += length - 1;
  }
  return vague.empty() ? good : vague;
}

bool is_vague_status(std::string_view status) { return status.size() < 5 || status.substr(1) == ".0.0"; }

uint16_t leading_code(std::string_view text, size_t* length) {
  if (!is_code(text, 0)) return 0;
  if (text.size() > 3 && is_word(text[3])) return 0;
  if (text.size() > 4 && text[3] == '.' && is_digit(text[4])) return 0;
  size_t end = 3;
  if (end < text.size() && (text[end] == ' ' || text[end] == '-')) ++end;
  if (length != nullptr) *length = end;
  return code_value(text, 0);
}

uint16_t find_code(std::string_view text) {
  uint16_t announced = 0;
  for (size_t at = 0; at + 3 <= text.size(); ++at) {
    if (!is_code(text, at)) continue;
    const char before = at == 0 ? ' ' : text[at - 1];
    const char after = at + 3 == text.size() ? ' ' : text[at + 3];
    if (is_word(before) || is_word(after) || before == '.' || before == '-' || before == '+' || before == '/')
      continue;
    if (after == '.' && at + 4 < text.size() && is_digit(text[at + 4])) continue;
    const std::string_view rest = trimmed(text.substr(at + 3));
    const bool with_status =
        rest.size() >= 5 && status_length(rest.front() == '-' ? rest.substr(1) : rest, 0) > 0;
    if (with_status || announces_code(text.substr(0, at)) || trimmed(text.substr(0, at)).empty())
      return code_value(text, at);
    // "said: 550 no such user", "(550 ...)", "<<< 550 ...", ": 550-...".
    size_t back = at;
    while (back > 0 && text[back - 1] == ' ') --back;
    const char mark = back == 0 ? ':' : text[back - 1];
    const bool marked = mark == ':' || mark == '(' || mark == '<' || mark == '>' || mark == ';' ||
                        mark == '[' || mark == '"' || mark == '\'' || mark == '#' || mark == ',' ||
                        mark == '\n' || mark == '=';
    const bool ends_well = after == ' ' || after == '-' || after == ':' || after == ')' || after == ']' ||
                           after == ',' || after == '\n' || after == '\r' || after == '.' || after == ';';
    if (marked && ends_well && announced == 0) announced = code_value(text, at);
  }
  return announced;
}

std::string clean_diagnostic(std::string_view text) {
  std::string line = one_line(text);
  // qmail adds why it gave up itself. What the other side said stands before it, and decides.
  const size_t own_end = find_folded(line, "i'm not going to try again");
  if (own_end != kNowhere && contains_folded(line.substr(0, own_end), "remote host said"))
    line.erase(own_end);
  const size_t mark = line.substr(0, 24).find(';');
  if (mark != kNowhere && mark > 0) {
    const bool type = std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(mark), [](char c) {
      return is_word(c) || c == '-' || c == ' ' || c == '.' || c == '_';
    });
    if (type && !is_digit(line.front()))
      line.erase(0, line.find_first_not_of(' ', mark + 1) == kNowhere
                        ? line.size()
                        : line.find_first_not_of(' ', mark + 1));
  }
  size_t length = 0;
  const uint16_t code = leading_code(line, &length);
  return code == 0 ? line : with_one_code(line, length);
}

}  // namespace bounce::report
