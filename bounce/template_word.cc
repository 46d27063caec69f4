#include "bounce/template_word.h"

#include <algorithm>
#include <array>

#include "bounce/character_run.h"
#include "bounce/fold.h"
#include "conf/vocab/ascii.h"

namespace bounce {
namespace {

using conf::is_digit;
using conf::is_hex_digit;
using conf::is_letter;

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
bool is_short_code(std::string_view word) {
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

// "BL000000", "RL000001"
bool is_numbered_code(std::string_view word) {
  const size_t letters = run(word, 0, is_upper);
  return letters >= 2 && letters <= 4 && word.size() == letters + 6 && run(word, letters, is_digit) == 6 &&
         word.substr(letters, 3) == "000";
}

bool is_known_word(std::string_view word) {
  for (const char* known :
       {"ipv4", "ipv6", "utf8", "utf-8", "8bit", "8bitmime", "smtp", "base64", "sha1", "sha256", "md5",
        "x.509", "998", "smtputf8", "o365", "office365", "m365", "24x7"}) {
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
  if (kinds.digits > 0 && kinds.letters > 0) return word.size() >= 4 || !is_digit(word[0]);
  // "StorageTransientException" is made of words.
  return kinds.digits == 0 && kinds.changes >= 4 && kinds.letters < 5 * (kinds.changes + 1);
}

// "10MB", "300s": where the unit begins; 0: it is no number with a unit.
size_t unit_at(std::string_view word) {
  const size_t digits = run(word, 0, is_digit);
  if (digits == 0 || digits == word.size()) return 0;
  const std::string unit = conf::ascii_lower(word.substr(digits));
  for (const char* known : {"s",  "sec", "secs", "m",  "min", "mins", "h",   "hr", "hrs", "d",
                            "ms", "b",   "k",    "kb", "kib", "mb",   "mib", "g",  "gb",  "gib"}) {
    if (unit == known) return digits;
  }
  return 0;
}

// "said: 550": what another server said is another failure.
bool is_quoted_code(std::string_view word, std::string_view before) {
  return word.size() == 3 && (word[0] == '4' || word[0] == '5') && before.ends_with(": ");
}

// "disk-full-42": words and numbers, not mixed.
bool is_made_of_words(std::string_view word) {
  bool worded = false;
  for (size_t at = 0; at < word.size();) {
    const size_t digits = run(word, at, is_digit), letters = run(word, at, is_letter);
    const size_t end = at + digits + letters;  // one of them is 0
    if (end == at || (end < word.size() && word[end] != '-' && word[end] != '_')) return false;
    worded |= letters >= 4 && !std::ranges::all_of(word.substr(at, letters), is_hex_digit);
    at = end + 1;
  }
  return worded;
}

void append_with_numbers(std::string_view word, std::string* out) {
  for (size_t at = 0; at < word.size();) {
    const size_t digits = run(word, at, is_digit);
    if (digits > 0) *out += "#NUM#";
    at += digits;
    if (at < word.size()) *out += word[at++];
  }
}

}  // namespace

bool is_receiver_code(std::string_view word) { return is_short_code(word) || is_numbered_code(word); }

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
  if (!text.starts_with("#URL:") && !text.starts_with("#URL?")) return 0;
  const size_t end = text.find_first_of("# ", 5);
  return end == std::string_view::npos || text[end] == ' ' ? 0 : end + 1;
}

size_t address_length(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '@') {
      const size_t end = end_of_address(text, at);
      return at > 0 && end > at + 1 ? end : 0;
    }
    if (text[at] == '\'' && at > 0 && is_letter(text[at - 1]) && at + 1 < text.size() &&
        is_letter(text[at + 1])) {
      ++at;  // "o'neil"; else it is a quotation mark
      continue;
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
  // "o'neil@example.org"; "doesn't" is no such thing.
  if (next == '\'' && address_length(text) > 0) return 0;
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
  if (text[0] == '.') return run(text, 0, [](char c) { return c == '.'; });
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
  end = std::min(end, text.substr(0, end).find(".."));
  while (end > 1 &&
         (text[end - 1] == '.' || text[end - 1] == '-' || text[end - 1] == '_' || text[end - 1] == '%'))
    --end;
  return end;
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
    const bool coded = (word.size() <= 3 && !out->empty() && (out->back() == '[' || out->ends_with("[-"))) ||
                       is_quoted_code(word, *out);
    out->append(coded ? word : "#NUM#");
  } else if (is_host(word)) {
    out->append(is_list_operator(word) ? list_name(word) : "#DOMAIN#");
  } else if (const size_t unit = unit_at(word); unit > 0) {
    *out += "#NUM#";
    out->append(word.substr(unit));
  } else if (is_made_of_words(word)) {
    append_with_numbers(word, out);
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
    append_with_numbers(word, out);
  } else {
    out->append(word);
  }
}

}  // namespace bounce
