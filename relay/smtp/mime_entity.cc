#include "relay/smtp/mime_entity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "conf/vocab/ascii.h"
#include "conf/vocab/text.h"

namespace relay::smtp {

namespace {

std::string_view without_space(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// "base64", "Quoted-Printable (as ever)".
bool is_encoded(std::string_view encoding) {
  const std::string text = conf::ascii_lower(encoding);
  return text.starts_with("base64") || text.starts_with("quoted-printable");
}

bool header_needs_utf8(std::string_view text, std::string_view around, int depth) {
  if (depth > kDeepestPart || !has_eight_bit(text)) return false;
  const MimeEntity entity = read_entity(text);
  for (const MimeField& field : entity.fields) {
    if (has_eight_bit(field.whole)) return true;
  }
  if (!has_eight_bit(entity.body) || is_encoded(value_of(entity, "Content-Transfer-Encoding"))) return false;
  const std::string type = media_type_of(entity, around);
  if (type == "message/global" || type == "message/rfc822")
    return header_needs_utf8(entity.body, "", depth + 1);
  if (!type.starts_with("multipart/")) return false;
  const std::string boundary = parameter_of(entity, "boundary");
  if (boundary.empty()) return false;
  bool needed = false;
  for_each_part(
      entity.body, boundary,
      [&](std::string_view part) {
        needed = header_needs_utf8(part, type, depth + 1);
        return !needed;
      },
      [](std::string_view) {});
  return needed;
}

// A parameter that came in several pieces, or with percent signs (RFC 2231 §3, §4).
struct Section {
  std::string text;
  bool encoded = false;
};

// The value at the beginning of `rest`, which goes on behind it (RFC 2045 §5.1).
std::string take_value(std::string_view* rest) {
  std::string text;
  if (!rest->empty() && rest->front() == '"') {
    size_t at = 1;
    for (; at < rest->size() && (*rest)[at] != '"'; ++at) {
      if ((*rest)[at] == '\\' && at + 1 < rest->size()) ++at;
      text += (*rest)[at];
    }
    rest->remove_prefix(std::min(at + 1, rest->size()));
  } else {
    const size_t end = std::min(rest->find_first_of("; \t\r\n("), rest->size());
    text = rest->substr(0, end);
    rest->remove_prefix(end);
  }
  return text;
}

// Which piece of `name` the attribute is, and whether it is encoded: "name*", "name*0", "name*1*".
std::optional<std::pair<unsigned, bool>> section_of(std::string_view attribute, std::string_view name) {
  if (attribute.size() <= name.size() || attribute[name.size()] != '*' ||
      !conf::equal_ignoring_case(attribute.substr(0, name.size()), name))
    return std::nullopt;
  std::string_view number = attribute.substr(name.size() + 1);
  if (number.empty()) return std::pair(0U, true);
  const bool encoded = number.back() == '*';
  if (encoded) number.remove_suffix(1);
  unsigned at = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), at);
  if (problem != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return std::pair(at, encoded);
}

std::string without_percents(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool may_be = text[at] == '%' && at + 2 < text.size();
    const int high = may_be ? conf::hex_value(text[at + 1]) : -1;
    const int low = may_be ? conf::hex_value(text[at + 2]) : -1;
    const bool coded = high >= 0 && low >= 0;
    out += coded ? static_cast<char>(high << 4 | low) : text[at];
    if (coded) at += 2;
  }
  return out;
}

// The charset of the first piece is passed over: octets are compared with octets.
std::string joined(const std::map<unsigned, Section>& sections) {
  std::string out;
  unsigned next = 0;
  for (const auto& [at, section] : sections) {
    if (at != next++) break;
    std::string_view text = section.text;
    if (section.encoded && at == 0) {
      const size_t language = text.find('\'');
      const size_t value = language == std::string_view::npos ? language : text.find('\'', language + 1);
      if (value != std::string_view::npos) text.remove_prefix(value + 1);
    }
    out += section.encoded ? without_percents(text) : std::string(text);
  }
  return out;
}

}  // namespace

MimeEntity read_entity(std::string_view text) {
  MimeEntity entity;
  while (!text.empty()) {
    if (text.substr(0, 2) == "\r\n") {
      entity.separator = text.substr(0, 2);
      entity.body = text.substr(2);
      return entity;
    }
    size_t end = 0;
    do {
      const size_t line = text.find("\r\n", end);
      end = line == std::string_view::npos ? text.size() : line + 2;
    } while (end < text.size() && (text[end] == ' ' || text[end] == '\t'));
    const std::string_view whole = text.substr(0, end);
    const size_t colon = whole.find(':');
    if (colon == std::string_view::npos || has_eight_bit(whole.substr(0, colon))) {
      entity.body = text;
      return entity;
    }
    entity.fields.push_back(
        {whole, without_space(whole.substr(0, colon)), without_space(whole.substr(colon + 1))});
    text.remove_prefix(end);
  }
  return entity;
}

std::string_view value_of(const MimeEntity& entity, std::string_view name) {
  for (const MimeField& field : entity.fields) {
    if (conf::equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::string media_type_of(const MimeEntity& entity, std::string_view around) {
  const std::string_view value = value_of(entity, "Content-Type");
  if (value.empty() && around == "multipart/digest") return "message/rfc822";
  return conf::ascii_lower(without_space(value.substr(0, value.find(';'))));
}

std::string parameter_of(const MimeEntity& entity, std::string_view name) {
  std::map<unsigned, Section> sections;
  std::string_view value = value_of(entity, "Content-Type");
  while (true) {
    const size_t semicolon = value.find(';');
    if (semicolon == std::string_view::npos) break;
    value = without_space(value.substr(semicolon + 1));
    const size_t equals = std::min(value.find('='), value.size());
    const std::string_view attribute = without_space(value.substr(0, equals));
    value = without_space(value.substr(std::min(equals + 1, value.size())));
    std::string text = take_value(&value);
    if (conf::equal_ignoring_case(attribute, name)) return text;
    if (const std::optional<std::pair<unsigned, bool>> place = section_of(attribute, name))
      sections.try_emplace(place->first, Section{std::move(text), place->second});
  }
  return joined(sections);
}

bool for_each_part(std::string_view body, const std::string& boundary,
                   const std::function<bool(std::string_view)>& part,
                   const std::function<void(std::string_view)>& between) {
  const std::string dashes = "--" + boundary;
  const auto pass = [&](std::string_view text, bool inside) {
    if (!inside) {  // preamble and epilogue: nobody reads them
      between(text);
      return true;
    }
    const bool newline = text.ends_with("\r\n");  // it belongs to the delimiter
    if (!part(text.substr(0, text.size() - (newline ? 2 : 0)))) return false;
    if (newline) between("\r\n");
    return true;
  };
  size_t begin = 0;
  bool inside = false, closed = false;
  for (size_t line = 0; line <= body.size();) {
    const size_t end = std::min(body.find("\r\n", line), body.size());
    const std::string_view text = body.substr(line, end - line);
    const std::string_view behind =
        text.starts_with(dashes) ? text.substr(dashes.size()) : std::string_view();
    const bool last = behind.starts_with("--");
    if (!closed && text.starts_with(dashes) && without_space(behind.substr(last ? 2 : 0)).empty()) {
      if (!pass(body.substr(begin, line - begin), inside)) return false;
      const size_t next = std::min(end + 2, body.size());
      between(body.substr(line, next - line));
      begin = next;
      closed = last;
      inside = !closed;
    }
    if (end == body.size()) break;
    line = end + 2;
  }
  return begin != 0 && pass(body.substr(begin), inside);  // without a part all of it would be lost
}

bool has_eight_bit(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ULL;
  size_t at = 0;
  for (; at + 64 <= text.size(); at += 64) {  // every octet of every message passes here
    std::array<uint64_t, 8> w;
    std::memcpy(w.data(), text.data() + at, 64);
    if (((w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) & kHighBits) != 0) return true;
  }
  return std::any_of(text.begin() + static_cast<ptrdiff_t>(at), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool has_eight_bit_header(std::string_view message) { return header_needs_utf8(message, "", 0); }

}  // namespace relay::smtp
