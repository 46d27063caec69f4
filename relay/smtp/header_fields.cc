#include "relay/smtp/header_fields.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/address.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/text.h"
#include "conf/vocab/utf8.h"

namespace relay::smtp {

namespace {

constexpr size_t kMatchedOctets = 998;  // of a value: a line (RFC 5322 §2.1.1)

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

// With its folded lines and without the last CRLF.
std::string_view take_lines(std::string_view* message) {
  size_t end = 0;
  for (;;) {
    const size_t line_end = message->find("\r\n", end);
    if (line_end == std::string_view::npos) return std::exchange(*message, {});
    end = line_end + 2;
    if (end >= message->size() || !is_wsp((*message)[end]) || line_end == 0) break;
  }
  const std::string_view field = message->substr(0, end - 2);
  message->remove_prefix(end);
  return field;
}

}  // namespace

HeaderField take_header_field(std::string_view* message) {
  const std::string_view field = take_lines(message);
  const size_t colon = field.find(':');
  if (colon == std::string_view::npos) return {};
  return {conf::trimmed(field.substr(0, colon)), field.substr(colon + 1)};
}

// Unfolding takes the CRLF out; a blank follows it.
std::string unfolded(std::string_view value, size_t most) {
  value = conf::trimmed(value);
  std::string out;
  out.reserve(std::min(value.size(), most));
  for (const char c : value) {
    if (out.size() > most) break;
    if (c == '\r' || c == '\n') continue;
    out.push_back(c == '\t' ? ' ' : c);
  }
  out.resize(conf::utf8_prefix(out, most).size());
  return out;
}

bool has_field_like(std::string_view message, std::string_view name, std::string_view mask) {
  for (;;) {
    const HeaderField field = take_header_field(&message);
    if (field.name.empty()) return false;
    if (conf::equal_ignoring_case(field.name, name) &&
        conf::domain_matches(mask, unfolded(field.value, kMatchedOctets)))
      return true;
  }
}

}  // namespace relay::smtp
