// Dates, times and telephone numbers in a template.
#include "bounce/character_run.h"
#include "bounce/template_word.h"
#include "conf/vocab/ascii.h"

namespace bounce {
namespace {

using conf::is_digit;
using conf::is_letter;

bool is_month(std::string_view text) {
  for (const char* month :
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}) {
    if (starts_like(text, month)) return text.size() == 3 || !is_letter(text[3]);
  }
  return false;
}

// "23:34:45.000Z", "23:34"
size_t time_length(std::string_view text) {
  size_t at = run(text, 0, is_digit);
  if (at < 1 || at > 2 || at >= text.size() || text[at] != ':' || run(text, at + 1, is_digit) != 2) return 0;
  at += 3;
  if (at < text.size() && text[at] == ':' && run(text, at + 1, is_digit) == 2) at += 3;
  if (at < text.size() && text[at] == ':') return 0;  // an IPv6 address
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1]))
    at += 1 + run(text, at + 1, is_digit);
  if (at < text.size() && text[at] == 'Z') ++at;
  if (at + 5 < text.size() + 1 && text.size() - at >= 5 && (text[at] == '+' || text[at] == '-') &&
      run(text, at + 1, is_digit) == 4)
    at += 5;
  return at < text.size() && is_letter(text[at]) ? 0 : at;
}

// "2024-04-29", "29/04/2024", "29.04.2024"
size_t day_length(std::string_view text) {
  const size_t first = run(text, 0, is_digit);
  if (first == 0 || first == 3 || first > 4 || first >= text.size()) return 0;
  const char mark = text[first];
  if (mark != '-' && mark != '/' && mark != '.') return 0;
  const size_t second = run(text, first + 1, is_digit);
  const size_t behind = first + 1 + second;
  if (second < 1 || second > 2 || behind >= text.size() || text[behind] != mark) return 0;
  const size_t third = run(text, behind + 1, is_digit);
  const bool dated = (first == 4 && third >= 1 && third <= 2) || (first <= 2 && third == 4);
  const size_t end = behind + 1 + third;
  if (!dated || (end < text.size() && (text[end] == '.' || text[end] == '-') && end + 1 < text.size() &&
                 is_digit(text[end + 1])))
    return 0;
  return end;
}

// "29 Apr 2024", "Apr 29 2024"
size_t named_day_length(std::string_view text) {
  size_t at = 0;
  if (is_digit(text[0])) {
    at = run(text, 0, is_digit);
    if (at > 2 || at + 4 > text.size() || (text[at] != ' ' && text[at] != '-') ||
        !is_month(text.substr(at + 1)))
      return 0;
    at += 4;
  } else {
    if (!is_month(text) || text.size() < 5 || text[3] != ' ') return 0;
    const size_t day = run(text, 4, is_digit);
    if (day < 1 || day > 2) return 0;
    at = 4 + day;
    if (at < text.size() && text[at] == ',') ++at;
  }
  if (at + 5 <= text.size() && (text[at] == ' ' || text[at] == '-') && run(text, at + 1, is_digit) == 4)
    at += 5;
  return at;
}

}  // namespace

size_t date_length(std::string_view text) {
  size_t at = 0;
  // "Mon, "
  if (text.size() > 5 && is_letter(text[0]) && run(text, 0, is_letter) == 3 && text[3] == ',' &&
      text[4] == ' ' && is_digit(text[5]) && named_day_length(text.substr(5)) > 0)
    at = 5;
  if (at >= text.size()) return 0;
  size_t day = day_length(text.substr(at));
  if (day == 0) day = named_day_length(text.substr(at));
  if (day == 0) return at == 0 ? time_length(text) : 0;
  at += day;
  if (at < text.size() && (text[at] == ' ' || text[at] == 'T' || text[at] == ',')) {
    size_t begin = at + 1;
    if (begin < text.size() && text[begin] == ' ') ++begin;
    const size_t time = begin < text.size() ? time_length(text.substr(begin)) : 0;
    if (time > 0) at = begin + time;
  }
  if (at + 6 <= text.size() && text[at] == ' ' && (text[at + 1] == '+' || text[at + 1] == '-') &&
      run(text, at + 2, is_digit) == 4)
    at += 6;
  return at;
}

size_t phone_length(std::string_view text) {
  size_t digits = 0, groups = 0, end = 0;
  const bool international = text[0] == '+';
  for (size_t at = international ? 1 : 0; at < text.size();) {
    if (is_digit(text[at])) {
      const size_t length = run(text, at, is_digit);
      if (length > 15) return 0;
      digits += length;
      ++groups;
      at += length;
      end = at;
    } else if ((text[at] == ' ' || text[at] == '-' || text[at] == '(' || text[at] == ')') && groups > 0 &&
               (international || text[at] == '-')) {
      ++at;
    } else {
      break;
    }
  }
  if (end < text.size() && (is_letter(text[end]) || text[end] == '_')) return 0;
  if (international) return digits >= 7 && digits <= 15 ? end : 0;
  // "800-555-0100", "1-800-555-0100"
  return (groups == 3 || groups == 4) && (digits == 10 || digits == 11) && end >= 4 && text[end - 5] == '-'
             ? end
             : 0;
}

}  // namespace bounce
