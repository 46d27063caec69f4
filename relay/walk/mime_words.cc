#include "relay/walk/mime_words.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "conf/vocab/text.h"
#include "conf/vocab/utf8.h"

namespace relay {

namespace {

constexpr size_t kLine = 76;  // RFC 2045 §6.7, §6.8
// Of text in one encoded word: at most 75 characters as base64 (RFC 2047 §2).
constexpr size_t kWordOctets = 45;

bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

const char* charset_of(std::string_view text) { return conf::is_utf8(text) ? "utf-8" : "unknown-8bit"; }

bool is_mostly_ascii(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_high)) * 6 < text.size();
}

void append_quoted_printable(std::string_view text, std::string* out) {
  while (true) {
    const size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    size_t column = 0;
    for (size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      const bool last = i + 1 == line.size();
      const bool plain = (c >= '!' && c <= '~' && c != '=') || ((c == ' ' || c == '\t') && !last);
      const size_t width = plain ? 1 : 3;
      if (column + width > kLine - (last ? 0 : 1)) {
        out->append("=\r\n");
        column = 0;
      }
      column += width;
      if (plain) {
        *out += c;
      } else {
        *out += '=';
        conf::append_hex(c, out);
      }
    }
    if (end == text.size()) return;
    out->append("\r\n");
    text.remove_prefix(end + 2);
  }
}

void append_escaped(std::string_view text, std::string* out) {
  size_t column = 0;
  for (const char c : text) {
    if (c == '\n') column = 0;
    if (is_high(c) && column + 3 > kLine - 1) {
      out->append("=\r\n");
      column = 0;
    }
    if (is_high(c)) {
      *out += '=';
      conf::append_hex(c, out);
    } else {
      *out += c;
    }
    column += is_high(c) ? 3 : 1;
  }
}

void append_base64(std::string_view octets, std::string* out) {
  while (!octets.empty()) {
    const size_t size = std::min<size_t>(octets.size(), kLine / 4 * 3);
    conf::append_base64(octets.substr(0, size), out);
    octets.remove_prefix(size);
    if (!octets.empty()) out->append("\r\n");
  }
}

void append_encoded_words(std::string_view text, size_t column, std::string* out) {
  constexpr size_t kFewOctets = 12;
  const std::string charset = charset_of(text);
  const size_t frame = charset.size() + 7;  // =?charset?B?text?=
  const size_t room = column + frame < kLine ? (kLine - column - frame) / 4 * 3 : 0;
  size_t most = kWordOctets - charset.size();
  if (room >= kFewOctets) most = std::min(most, room);
  for (bool first = true; !text.empty(); first = false) {
    size_t size = 0;
    while (size < text.size()) {
      const size_t next =
          std::max<size_t>(charset == "utf-8" ? conf::utf8_character(text.substr(size)).octets : 1, 1);
      if (size + next > most) break;
      size += next;
    }
    if (!first) out->append("\r\n ");
    out->append("=?").append(charset).append("?B?");
    conf::append_base64(text.substr(0, size), out);
    out->append("?=");
    text.remove_prefix(size);
    most = kWordOctets - charset.size();
  }
}

void fold_encoded_words(size_t column, std::string* value) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string out;
  bool any = false;  // on this line
  for (size_t at = 0; at < value->size();) {
    const size_t begin = std::min(value->find_first_not_of(kBlanks, at), value->size());
    const size_t end = std::min(value->find_first_of(kBlanks, begin), value->size());
    const std::string_view blanks = std::string_view(*value).substr(at, begin - at);
    const std::string_view token = std::string_view(*value).substr(begin, end - begin);
    const size_t line_end = blanks.rfind('\n');
    const bool is_word = token.find("=?") != std::string_view::npos;
    if (line_end != std::string_view::npos) {
      column = blanks.size() - line_end - 1;
      any = false;
    } else {
      const bool fits = column + blanks.size() + token.size() <= kLine;
      if (!fits && (any || is_word) && !blanks.empty() && !token.empty()) {
        out.append("\r\n");
        column = 0;
        any = false;
      }
      column += blanks.size();
    }
    out.append(blanks).append(token);
    column += token.size();
    any = any || is_word;
    at = end;
  }
  *value = std::move(out);
}

}  // namespace relay
