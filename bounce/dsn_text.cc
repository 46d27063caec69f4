#include "bounce/dsn_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "conf/vocab/ascii.h"
#include "conf/vocab/text.h"
#include "conf/vocab/utf8.h"

namespace bounce {

namespace {

constexpr size_t kColumn = 78;    // RFC 5322 §2.1.1
constexpr size_t kWordMax = 900;  // leaves room for name and indent below 998

// Words of `text` on lines of about 78 columns. `column` is where the first begins; a new line begins with
// `lead`.
void wrap(std::string_view text, size_t column, std::string_view lead, std::string* out) {
  bool first = true;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    std::string_view word = text.substr(0, std::min(space, kWordMax));
    // A word cut by force keeps its UTF-8 sequences whole.
    if (word.size() < std::min(space, text.size())) {
      while (!word.empty() && (static_cast<unsigned char>(text[word.size()]) & 0xc0) == 0x80)
        word.remove_suffix(1);
      if (word.empty()) word = text.substr(0, kWordMax);
    }
    text.remove_prefix(word.size());
    if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    if (word.empty()) continue;
    if (!first && column + 1 + word.size() > kColumn) {
      out->append("\r\n").append(lead);
      column = lead.size();
    } else if (!first) {
      out->push_back(' ');
      ++column;
    }
    out->append(word);
    column += word.size();
    first = false;
  }
}

bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// One encoded word after the other; none splits a character (RFC 2047 §5).
std::string q_words(std::string_view text) {
  constexpr size_t kMost = 75;  // octets of an encoded word
  const std::string open = "=?utf-8?Q?";
  std::string out = open;
  size_t begin = 0;  // of the word
  for (size_t at = 0; at < text.size();) {
    std::string character;
    do {
      const char c = text[at];
      if (conf::is_digit(c) || conf::is_letter(c)) {
        character += c;
      } else if (c == ' ') {
        character += '_';
      } else {
        character += '=';
        conf::append_hex(c, &character);
      }
    } while (++at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    if (out.size() - begin + character.size() + 2 > kMost) {
      out += "?= ";
      begin = out.size();
      out += open;
    }
    out += character;
  }
  return out + "?=";
}

}  // namespace

bool has_8bit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_8bit); }

std::string clean_line(std::string_view text, bool utf8) {
  const bool keep_high = utf8 && conf::is_utf8(text);
  std::string out(text);
  for (char& c : out) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet == '\t' || octet == '\r' || octet == '\n') {
      c = ' ';
    } else if (octet < 0x20 || octet == 0x7f || (octet >= 0x80 && !keep_high)) {
      c = '?';
    }
  }
  return out;
}

std::string encoded_words(std::string_view text) {
  const auto first = std::find_if(text.begin(), text.end(), is_8bit);
  if (first == text.end()) return std::string(text);
  const auto last = std::find_if(text.rbegin(), text.rend(), is_8bit).base();
  const auto begin = text.rfind(' ', static_cast<size_t>(first - text.begin())) + 1;
  const size_t end = std::min(text.find(' ', static_cast<size_t>(last - text.begin())), text.size());
  std::string out(text.substr(0, begin));
  return out.append(q_words(text.substr(begin, end - begin))).append(text.substr(end));
}

std::string quoted_printable(std::string_view text) {
  constexpr size_t kMost = 75;  // octets of a line before a soft break
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (text.substr(at, 2) == "\r\n") {
      out += "\r\n";
      column = 0;
      ++at;
      continue;
    }
    const bool last = text.substr(at + 1, 2) == "\r\n";
    const bool coded = is_8bit(c) || c == '=' || (c == ' ' && last) || static_cast<unsigned char>(c) < ' ';
    if (column + (coded ? 3 : 1) > kMost) {
      out += "=\r\n";
      column = 0;
    }
    if (coded) {
      out += '=';
      conf::append_hex(c, &out);
    } else {
      out += c;
    }
    column += coded ? 3 : 1;
  }
  return out;
}

void append_field(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ");
  wrap(value, name.size() + 2, " ", out);
  out->append("\r\n");
}

void append_wrapped(std::string_view text, size_t indent, std::string* out) {
  const std::string lead(indent, ' ');
  out->append(lead);
  wrap(text, indent, lead, out);
  out->append("\r\n");
}

std::string typed_address(std::string_view type, std::string_view address, bool utf8) {
  std::string out;
  if (!has_8bit(address) || !conf::is_utf8(address)) {
    out.append(clean_line(type, false)).append("; ").append(clean_line(address, false));
    return out;
  }
  out = "utf-8; ";
  if (utf8) return out + clean_line(address, true);
  while (!address.empty()) {
    const auto [code_point, octets] = conf::utf8_character(address);
    if (code_point < 0x80) {
      out += clean_line(address.substr(0, 1), false);
    } else {
      char escaped[16];
      std::snprintf(escaped, sizeof escaped, "\\x{%X}", static_cast<unsigned>(code_point));
      out += escaped;
    }
    address.remove_prefix(octets);
  }
  return out;
}

}  // namespace bounce
