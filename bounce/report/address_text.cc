#include "bounce/report/address_text.h"

#include <algorithm>
#include <array>

#include "bounce/report/text.h"
#include "conf/vocab/utf8.h"

namespace bounce::report {
namespace {

enum : uint8_t { kNone = 0, kLocal = 1, kDomain = 2 };

constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<size_t>(c)] = kLocal | kDomain;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<size_t>(c)] = kLocal | kDomain;
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<size_t>(c)] = kLocal | kDomain;
  for (const unsigned char c :
       {'!', '#', '$', '%', '&', '*', '+', '/', '=', '?', '^', '_', '`', '{', '|', '}', '~'}) {
    classes[c] = kLocal;
  }
  for (const unsigned char c : {'.', '-', '_'}) classes[c] = kLocal | kDomain;
  return classes;
}();

bool is_class(char c, uint8_t wanted) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; }

// Where the local part that ends at `at` begins.
size_t local_begin(std::string_view text, size_t at, size_t from) {
  constexpr size_t kLongest = 128;
  const size_t floor = std::max(from, at > kLongest ? at - kLongest : 0);
  if (at > floor && text[at - 1] == '"') {
    const size_t quote = at >= 2 ? text.rfind('"', at - 2) : kNowhere;
    return quote == kNowhere || quote < floor || quote + 2 > at ? at : quote;
  }
  size_t begin = at;
  while (begin > floor && is_class(text[begin - 1], kLocal)) --begin;
  while (begin < at && (text[begin] == '.' || text[begin] == '=' || text[begin] == '/' || text[begin] == '*'))
    ++begin;
  return begin;
}

size_t domain_end(std::string_view text, size_t at) {
  if (at < text.size() && text[at] == '[') {
    const size_t close = text.substr(0, at + 64).find(']', at);
    return close == kNowhere ? at : close + 1;
  }
  size_t end = at;
  while (end < text.size() && end - at < 255 && is_class(text[end], kDomain)) ++end;
  while (end > at && !is_letter(text[end - 1]) && !is_digit(text[end - 1])) --end;
  return end;
}

// RFC 6533 §3: "\x{E9}" in the form for 7-bit paths.
std::string without_unitext(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t close =
        text.substr(at).starts_with("\\x{") ? text.substr(0, at + 12).find('}', at) : kNowhere;
    if (close == kNowhere) {
      out += text[at++];
      continue;
    }
    uint32_t value = 0;
    for (const char c : text.substr(at + 3, close - at - 3))
      value = conf::is_hex_digit(c) ? value * 16 + static_cast<uint32_t>(conf::hex_value(c)) : 0;
    if (value >= ' ') conf::append_utf8(value, &out);
    at = close + 1;
  }
  return out;
}

// The type before the address ("rfc822;", "RFC822:", "SMTP:", "utf-8;", "local;").
std::string_view without_type(std::string_view value) {
  const size_t mark = value.substr(0, 24).find_first_of(";:");
  if (mark == kNowhere) return value;
  const std::string_view type = trimmed(value.substr(0, mark));
  const bool word = !type.empty() && std::all_of(type.begin(), type.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.';
  });
  return word ? trimmed(value.substr(mark + 1)) : value;
}

}  // namespace

bool find_address(std::string_view text, size_t from, AddressSpan* span) {
  for (size_t at = from; (at = text.find('@', at)) != kNowhere; ++at) {
    const size_t begin = local_begin(text, at, from);
    const size_t end = domain_end(text, at + 1);
    if (begin == at || end == at + 1) continue;
    const std::string_view domain = text.substr(at + 1, end - at - 1);
    if (domain.front() != '[' && domain.find('.') == kNowhere) continue;
    *span = {begin, end};
    return true;
  }
  return false;
}

std::string typed_address_value(std::string_view value) {
  value = without_type(trimmed(value));
  value = without_type(value);  // "rfc822; SMTP:a@b" exists
  const size_t open = value.find('<');
  const size_t close = open == kNowhere ? kNowhere : value.find('>', open);
  if (close != kNowhere && value.substr(open, close - open).find('@') != kNowhere) {
    value = trimmed(value.substr(open + 1, close - open - 1));
  }
  AddressSpan span;
  const bool eight_bit =
      std::any_of(value.begin(), value.end(), [](char c) { return static_cast<signed char>(c) < 0; });
  if (!eight_bit && value.find("\\x{") == kNowhere && find_address(value, 0, &span)) {
    return std::string(value.substr(span.begin, span.end - span.begin));
  }
  value = value.substr(0, value.find_first_of("\r\n"));
  while (!value.empty() && (value.front() == '<' || value.front() == '"')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '>' || value.back() == '"')) value.remove_suffix(1);
  return without_unitext(trimmed(value));
}

bool same_address(std::string_view a, std::string_view b) { return equal_ignoring_case(a, b); }

}  // namespace bounce::report
