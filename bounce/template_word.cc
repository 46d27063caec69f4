#include "bounce/template_word.h"

#include <algorithm>
#include <array>

#include "bounce/fold.h"
#include "conf/vocab/ascii.h"

namespace bounce {
namespace {

using conf::is_digit;
using conf::is_hex_digit;
using conf::is_letter;
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

size_t run(std::string_view text, size_t at, bool (*is)(char)) {
  size_t end = at;
  while (end < text.size() && is(text[end])) ++end;
  return end - at;
}

bool starts_like(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::ranges::equal(text.substr(0, lower_case.size()), lower_case,
                            [](char a, char b) { return conf::ascii_lower(a) == b; });
}

bool is_number(std::string_view word) { return !word.empty() && std::ranges::all_of(word, is_digit); }

// d.d{1,3}.d{1,3} with class 2, 4 or 5 (RFC 3463 §2).
bool is_status(std::string_view word) {
  if (word.size() < 5 || word.size() > 9 || (word[0] != '2' && word[0] != '4' && word[0] != '5') ||
      word[1] != '.')
    return false;
  const size_t subject = run(word, 2, is_digit);
  if (subject < 1 || subject > 3 || 2 + subject >= word.size() || word[2 + subject] != '.') return false;
  const size_t detail = run(word, 3 + subject, is_digit);
  return detail >= 1 && detail <= 3 && 3 + subject + detail == word.size();
}

bool is_ipv4(std::string_view word) {
  size_t dots = 0, digits = 0;
  for (const char c : word) {
    if (c == '.') {
      if (digits == 0) return false;
      ++dots;
      digits = 0;
    } else if (!is_digit(c) || ++digits > 3) {
      return false;
    }
  }
  return dots == 3 && digits > 0;
}

// Groups of up to four hexadecimal digits between at least two colons.
bool is_ipv6(std::string_view word) {
  size_t colons = 0, digits = 0, most = 0;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == ':') {
      ++colons;
      digits = 0;
    } else if (word[i] == '.' && colons >= 2) {
      return std::ranges::all_of(word.substr(i), [](char c) { return is_digit(c) || c == '.'; });
    } else if (!is_hex_digit(word[i]) || ++digits > 4) {
      return false;
    }
    most = std::max(most, digits);
  }
  return colons >= 2 && colons <= 7 && most > 0 && (colons == 7 || word.find("::") != std::string_view::npos);
}

// Labels and dots, the last label of letters in one case: "RESOLVER.ADR.RecipNotFound" is none.
bool is_host(std::string_view word) {
  size_t label = 0, dots = 0;
  for (const char c : word) {
    if (c == '.') {
      if (label == 0) return false;
      ++dots;
      label = 0;
    } else if (is_letter(c) || is_digit(c) || c == '-' || c == '_') {
      ++label;
    } else {
      return false;
    }
  }
  if (dots == 0 || label < 2) return false;
  const std::string_view last = word.substr(word.size() - label);
  return std::ranges::all_of(last, is_lower) ||
         (std::ranges::all_of(last, is_upper) && std::ranges::none_of(word, is_lower));
}

// "S3150", "TSS04", "BL23", "IB607", "OFR_416", "OFR005_104", "RP-001": which failure it is, in the
// receiver's words.
bool is_receiver_code(std::string_view word) {
  const size_t letters = run(word, 0, is_upper);
  if (letters < 1 || letters > 6 || word.size() > 12) return false;
  size_t at = letters;
  size_t first = run(word, at, is_digit);
  at += first;
  if (at < word.size() && (word[at] == '_' || word[at] == '-')) {
    const size_t second = run(word, at + 1, is_digit);
    return second >= 1 && second <= 4 && first <= 3 && at + 1 + second == word.size();
  }
  return first >= 1 && first <= 4 && at == word.size();
}

bool is_known_word(std::string_view word) {
  for (const char* known : {"ipv4", "ipv6", "utf8", "utf-8", "8bit", "8bitmime", "smtp", "base64", "sha1",
                            "sha256", "md5", "x.509", "o365", "office365", "m365", "24x7"}) {
    if (word.size() == std::string_view(known).size() && starts_like(word, known)) return true;
  }
  return starts_like(word, "rfc") && word.size() <= 8;
}

struct Kinds {
  size_t digits = 0, letters = 0, others = 0, changes = 0;  // changes: a capital behind a small letter
};

Kinds kinds_of(std::string_view word) {
  Kinds kinds;
  for (size_t i = 0; i < word.size(); ++i) {
    if (is_digit(word[i])) {
      ++kinds.digits;
    } else if (is_letter(word[i])) {
      ++kinds.letters;
      if (i > 0 && is_upper(word[i]) && is_lower(word[i - 1])) ++kinds.changes;
    } else if (static_cast<unsigned char>(word[i]) >= 0x80) {
      ++kinds.others;
    }
  }
  return kinds;
}

// A key of a queue, of a session, of a message: letters and digits mixed, or letters in no order of case.
bool is_id(std::string_view word) {
  const Kinds kinds = kinds_of(word);
  if (kinds.others > 0) return false;
  if (kinds.digits > 0 && kinds.letters > 0) return word.size() >= 4;
  return kinds.digits == 0 && kinds.changes >= 4;
}

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

bool is_word_character(char c) {
  return is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 || c == '+' || c == '=' ||
         c == '.' || c == '-' || c == '_' || c == '/' || c == ':' || c == '%' || c == '&' || c == '~' ||
         c == '!' || c == '$' || c == '{';
}

size_t placeholder_length(std::string_view text) {
  if (text.empty() || text[0] != '#') return 0;
  for (const char* known : {"#IP#", "#DOMAIN#", "#URL#", "#DATE#", "#PHONE#", "#NUM#", "#ID#"}) {
    if (text.starts_with(known)) return std::string_view(known).size();
  }
  if (!text.starts_with("#URL:")) return 0;
  const size_t end = text.find_first_of("# ", 5);
  return end == std::string_view::npos || text[end] == ' ' ? 0 : end + 1;
}

size_t url_length(std::string_view text) {
  if (!starts_like(text, "http://") && !starts_like(text, "https://") && !starts_like(text, "www.")) return 0;
  size_t end = std::min(text.find_first_of(" <>\"'()[]{}|\\^`"), text.size());
  while (end > 0 && (text[end - 1] == '.' || text[end - 1] == ',' || text[end - 1] == ';' ||
                     text[end - 1] == ':' || text[end - 1] == '!'))
    --end;
  return end;
}

std::string_view url_host(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#: "));
}

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

size_t address_length(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '@') {
      const size_t end = end_of_address(text, at);
      return at > 0 && end > at + 1 ? end : 0;
    }
    const char32_t c = next_code_point(text, &at);
    if (!is_address_character(c)) return 0;
  }
  return 0;
}

size_t plain_word_length(std::string_view text) {
  if (!is_letter(text[0])) return 0;
  const size_t end = 1 + run(text, 1, is_lower);
  if (end == text.size()) return end;
  const char next = text[end];
  if (next != ' ' && next != ',' && next != '.' && next != ')' && next != ';' && next != '"' && next != '\'')
    return 0;
  // "example.org", "a.b@example.org"; "etc." ends a sentence.
  if (next == '.' && end + 1 < text.size() && text[end + 1] != ' ') return 0;
  // "Mon, 29 Apr", "Apr 29"
  if (end == 3 && end + 1 < text.size() && (next == ',' || is_digit(text[end + 1]))) return 0;
  return end;
}

size_t word_length(std::string_view text) {
  const auto separates = [](char c) {
    return c == '=' || c == '/' || c == '&' || c == ':' || c == '!' || c == '{';
  };
  // An IPv6 address has colons, which part other words.
  size_t end = 0;
  while (end < text.size() && (is_hex_digit(text[end]) || text[end] == ':' || text[end] == '.')) ++end;
  if (is_ipv6(text.substr(0, end))) return end;
  if (separates(text[0])) return 1;
  // Scripts that are written without spaces part from what stands among them.
  constexpr char32_t kSpaceless = 0x800;
  size_t next = 0;
  const bool spaceless = next_code_point(text, &next) >= kSpaceless;
  end = next;
  while (end < text.size() && is_word_character(text[end]) && !separates(text[end])) {
    next = end;
    if ((next_code_point(text, &next) >= kSpaceless) != spaceless) break;
    end = next;
  }
  while (end > 1 && (text[end - 1] == '.' || text[end - 1] == '-' || text[end - 1] == '_')) --end;
  return end;
}

bool is_list_operator(std::string_view host) {
  static constexpr std::array<std::string_view, 26> kKnown = {
      "spamhaus.",   "spamcop.",     "sorbs.", "uceprotect.",  "barracudacentral.",
      "abuseat.",    "cloudmark.",   "surbl.", "uribl.",       "spamrats.",
      "mailspike.",  "manitu.",      "0spam.", "senderscore.", "trendmicro.",
      "mail-abuse.", "psbl.",        "spfbl.", "dronebl.",     "blocklist.",
      "abusix.",     "invaluement.", "njabl.", "cobion.",      "gbudb.",
      "senderbase."};
  const std::string name = conf::ascii_lower(host);
  // Each of them ends at a dot: only what stands before one is looked at.
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    const std::string_view before = std::string_view(name).substr(0, dot + 1);
    for (const std::string_view known : kKnown) {
      if (before.ends_with(known)) return true;
    }
  }
  return false;
}

void append_word(std::string_view word, std::string* out) {
  if (std::ranges::none_of(word, is_digit) && word.find('.') == std::string_view::npos &&
      kinds_of(word).changes < 4) {
    out->append(word);
  } else if (is_status(word) || is_receiver_code(word) || is_known_word(word)) {
    out->append(word);
  } else if (is_ipv4(word) || is_ipv6(word)) {
    *out += "#IP#";
  } else if (is_number(word)) {
    // "[299]": a code of the receiver; other numbers count something.
    const bool coded = word.size() <= 3 && !out->empty() && (out->back() == '[' || out->ends_with("[-"));
    out->append(coded ? word : "#NUM#");
  } else if (is_host(word)) {
    out->append(is_list_operator(word) ? word : "#DOMAIN#");
  } else if (is_id(word)) {
    *out += "#ID#";
  } else if (std::ranges::any_of(word, is_digit) && std::ranges::none_of(word, [](char c) {
               return is_letter(c) || static_cast<unsigned char>(c) >= 0x80;
             })) {
    out->append(word.size() > 1 && word[0] == '-' && is_number(word.substr(1)) && !out->empty() &&
                        out->back() == '['
                    ? word
                    : "#NUM#");
  } else if (std::ranges::any_of(word, is_digit)) {
    // Letters of another script with digits between them: only the digits vary.
    for (size_t at = 0; at < word.size();) {
      const size_t digits = run(word, at, is_digit);
      if (digits > 0) *out += "#NUM#";
      at += digits;
      if (at < word.size()) *out += word[at++];
    }
  } else {
    out->append(word);
  }
}

}  // namespace bounce
