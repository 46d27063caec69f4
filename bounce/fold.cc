#include "bounce/fold.h"

#include <array>

#include "conf/vocab/utf8.h"

namespace bounce {
namespace {

// U+00C0 to U+017F without accents, a letter each; '\1' stands for two letters, '\2' for none of these.
constexpr char kBase[] =
    "aaaaaa\1ceeeeiiiidnooooo\2ouuuuyt\1"
    "aaaaaa\1ceeeeiiiidnooooo\2ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii\1\1jjkkklllllll"
    "lllnnnnnnnnnoooooo\1\1rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(sizeof(kBase) - 1 == 0x180 - 0xC0, "one letter for each code point");

const char* two_letters(char32_t c) {
  switch (c) {
    case 0xC6:
    case 0xE6:
      return "ae";
    case 0xDF:
      return "ss";
    case 0x132:
    case 0x133:
      return "ij";
    default:
      return "oe";
  }
}

constexpr bool is_blank(char32_t c) {
  return c <= 0x20 || c == 0x7F || c == '-' || c == '_' || c == '\'' || c == '`' || c == 0xA0 || c == 0xB4 ||
         (c >= 0x2010 && c <= 0x2019) || c == 0x3000;
}

// Beyond ASCII: lower case and without accents, where there is such a letter.
void append_folded(char32_t c, std::string* out) {
  if (c >= 0xC0 && c < 0x180) {
    const char base = kBase[c - 0xC0];
    if (base == '\1') {
      *out += two_letters(c);
    } else if (base != '\2') {
      *out += base;
    }
    return;
  }
  if (c >= 0x410 && c <= 0x42F) c += 0x20;
  if (c >= 0x400 && c <= 0x40F) c += 0x50;
  if (c == 0x451) c = 0x435;
  if (c >= 0xFF01 && c <= 0xFF5E) {
    c -= 0xFEE0;
    if (c >= 'A' && c <= 'Z') c += 0x20;
  }
  conf::append_utf8(c, out);
}

constexpr std::array<bool, 256> kAtom = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = true;
  for (const char c : {'.', '-', '_', '+', '=', '#', '%', '&', '~', '/', '!', '$', '*', '^', '|', '{', '}'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// What an octet of ASCII becomes that is neither a blank nor an '@'; 0: it is another one.
constexpr std::array<char, 256> kPlain = [] {
  std::array<char, 256> table{};
  for (char c = 0x21; c < 0x7F; ++c) {
    if (c == '@' || is_blank(static_cast<char32_t>(c))) continue;
    table[static_cast<unsigned char>(c)] = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return table;
}();

// RFC 5321 §4.1.2 and RFC 6531 §3.3; the scripts that are written without spaces are no part of an address
// here, because the words around it would be taken for its local part.
bool is_atom(char32_t c) { return c < 0x80 ? kAtom[c] : c >= 0xC0 && c < 0x800; }

}  // namespace

size_t end_of_address(std::string_view text, size_t at) {
  size_t end = at + 1;
  for (size_t next = end; next < text.size(); end = next) {
    const char32_t c = next_code_point(text, &next);
    if (!is_atom(c) && c != '[' && c != ']' && c != '@') break;
  }
  while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == ']') && text.find('[', at) >= end) --end;
  return end;
}

bool is_address_character(char32_t c) { return is_atom(c); }

char32_t next_code_point(std::string_view text, size_t* at) {
  if (static_cast<unsigned char>(text[*at]) < 0x80) return static_cast<char32_t>(text[(*at)++]);
  const auto [code_point, octets] = conf::utf8_character(text.substr(*at));
  if (octets == 0) return static_cast<unsigned char>(text[(*at)++]);
  *at += octets;
  return code_point;
}

std::string fold(std::string_view text, size_t limit) {
  text = text.substr(0, limit);
  std::string out;
  out.reserve(text.size() + 1);
  size_t word = 0;   // where the run of atoms before an '@' begins in `out`
  size_t atoms = 0;  // characters of that run in the text
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '@' && atoms > 0) {
      const size_t end = end_of_address(text, at);
      if (end > at + 1) {
        out.resize(word);
        out += '*';
        at = end;
        atoms = 0;
        continue;
      }
    }
    if (const char plain = kPlain[static_cast<unsigned char>(text[at])]; plain != 0) {
      if (!kAtom[static_cast<unsigned char>(text[at])]) {
        atoms = 0;
      } else if (++atoms == 1) {
        word = out.size();
      }
      out += plain;
      ++at;
      continue;
    }
    const char32_t c = next_code_point(text, &at);
    if (!is_atom(c)) {
      atoms = 0;
    } else if (++atoms == 1) {
      word = out.size();
    }
    if (is_blank(c)) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (c < 0x80) {
      out += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    } else {
      append_folded(c, &out);
    }
  }
  return out;
}

std::string fold_pattern(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      out.append(pattern.substr(at, 2));
      at += 2;
      continue;
    }
    const bool ascii = static_cast<unsigned char>(pattern[at]) < 0x80;
    const char32_t c = next_code_point(pattern, &at);
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    if (!in_class && is_blank(c)) {
      if (out.empty() || out.back() != ' ') out += ' ';
    } else if (ascii) {
      out += static_cast<char>(c);
    } else {
      append_folded(c, &out);
    }
  }
  return out;
}

}  // namespace bounce
