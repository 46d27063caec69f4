#include "relay/walk/seven_bit.h"

#include <algorithm>
#include <vector>

#include "conf/vocab/ascii.h"
#include "relay/walk/mime_words.h"

namespace relay {

namespace {

constexpr int kDeepest = 20;  // parts within parts

struct Field {
  std::string_view whole;  // with its CRLF
  std::string_view name;
  std::string_view value;  // with the folds, without the last CRLF
};

struct Entity {
  std::vector<Field> fields;
  std::string_view separator;  // the empty line; "" when there is no body
  std::string_view body;
};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// A line that is no field ends the header, as readers do it.
Entity split(std::string_view text) {
  Entity entity;
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
    entity.fields.push_back({whole, trimmed(whole.substr(0, colon)), trimmed(whole.substr(colon + 1))});
    text.remove_prefix(end);
  }
  return entity;
}

std::string_view value_of(const Entity& entity, std::string_view name) {
  for (const Field& field : entity.fields) {
    if (conf::equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

// "multipart/mixed; boundary=..." -> "multipart/mixed", lower case.
std::string type_of(const Entity& entity) {
  const std::string_view value = value_of(entity, "Content-Type");
  return conf::ascii_lower(trimmed(value.substr(0, value.find(';'))));
}

// A parameter of Content-Type (RFC 2045 §5.1); "" when it has none.
std::string parameter_of(const Entity& entity, std::string_view name) {
  std::string_view value = value_of(entity, "Content-Type");
  while (true) {
    const size_t semicolon = value.find(';');
    if (semicolon == std::string_view::npos) return "";
    value = trimmed(value.substr(semicolon + 1));
    const size_t equals = value.find('=');
    const bool found =
        equals != std::string_view::npos && conf::equal_ignoring_case(trimmed(value.substr(0, equals)), name);
    std::string_view rest = equals == std::string_view::npos ? value : trimmed(value.substr(equals + 1));
    std::string text;
    if (!rest.empty() && rest.front() == '"') {
      size_t at = 1;
      for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
        text += rest[at];
      }
      rest.remove_prefix(std::min(at + 1, rest.size()));
    } else {
      const size_t end = std::min(rest.find_first_of("; \t\r\n("), rest.size());
      text = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    if (found) return text;
    value = rest;
  }
}

class Converter {
 public:
  bool entity(std::string_view text, bool top, int depth) {
    if (!has_eight_bit(text)) {
      out.append(text);
      return true;
    }
    if (depth > kDeepest) return false;
    const Entity entity = split(text);
    const std::string type = type_of(entity);
    const std::string boundary = type.starts_with("multipart/") ? parameter_of(entity, "boundary") : "";
    if (!boundary.empty()) {
      header(entity, "7bit");
      return parts(entity.body, boundary, depth);
    }
    if (type == "message/rfc822") {
      header(entity, "7bit");
      return this->entity(entity.body, false, depth + 1);
    }
    // RFC 2045 §6.4: these have no encoding of their own.
    if (type == "message/partial" || type.starts_with("multipart/")) return false;
    return leaf(entity, type, top);
  }

  std::string out;

 private:
  // `encoding`: of the content now; "": as it was.
  void header(const Entity& entity, std::string_view encoding) {
    for (const Field& field : entity.fields) {
      if (!encoding.empty() && conf::equal_ignoring_case(field.name, "Content-Transfer-Encoding")) {
        out.append(field.name).append(": ").append(encoding).append("\r\n");
      } else if (has_eight_bit(field.whole)) {
        append_encoded_field(field.whole, &out);
      } else {
        out.append(field.whole);
      }
    }
    out.append(entity.separator);
  }

  // RFC 2046 §5.1.1.
  bool parts(std::string_view body, const std::string& boundary, int depth) {
    const std::string dashes = "--" + boundary;
    size_t begin = 0;
    bool inside = false, closed = false;
    for (size_t line = 0; line <= body.size();) {
      const size_t end = std::min(body.find("\r\n", line), body.size());
      const std::string_view text = body.substr(line, end - line);
      const bool delimiter =
          !closed && text.starts_with(dashes) &&
          trimmed(text.substr(dashes.size() + (text.substr(dashes.size()).starts_with("--") ? 2 : 0)))
              .empty();
      if (delimiter) {
        const std::string_view before = body.substr(begin, line - begin);
        if (!one_part(before, inside, depth)) return false;
        const size_t next = std::min(end + 2, body.size());
        put_plain(body.substr(line, next - line));
        begin = next;
        closed = text.substr(dashes.size()).starts_with("--");
        inside = !closed;
      }
      if (end == body.size()) break;
      line = end + 2;
    }
    return begin != 0 &&
           one_part(body.substr(begin), inside, depth);  // without a part all of it would be lost
  }

  bool one_part(std::string_view text, bool inside, int depth) {
    if (!inside) {  // preamble and epilogue: nobody reads them
      put_plain(text);
      return true;
    }
    const bool newline = text.ends_with("\r\n");  // it belongs to the delimiter
    if (newline) text.remove_suffix(2);
    if (!entity(text, false, depth + 1)) return false;
    if (newline) out.append("\r\n");
    return true;
  }

  void put_plain(std::string_view text) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }

  bool leaf(const Entity& entity, const std::string& type, bool top) {
    const std::string encoding = conf::ascii_lower(value_of(entity, "Content-Transfer-Encoding"));
    if (!has_eight_bit(entity.body)) {  // the header alone has them
      header(entity, "");
      out.append(entity.body);
      return true;
    }
    if (encoding == "base64" || type == "message/delivery-status") return false;
    const bool text = type.empty() || type.starts_with("text/") || type.starts_with("message/");
    const bool quoted = encoding == "quoted-printable";
    const std::string_view now =
        quoted || (text && is_mostly_ascii(entity.body)) ? "quoted-printable" : "base64";
    Entity heading = entity;
    heading.separator = {};
    header(heading, now);
    if (top && value_of(entity, "MIME-Version").empty()) out.append("MIME-Version: 1.0\r\n");
    if (type.empty())
      out.append("Content-Type: text/plain; charset=").append(charset_of(entity.body)).append("\r\n");
    if (encoding.empty()) out.append("Content-Transfer-Encoding: ").append(now).append("\r\n");
    out.append("\r\n");
    if (quoted) {
      append_escaped(entity.body, &out);
    } else if (now == "base64") {
      append_base64(entity.body, &out);
    } else {
      append_quoted_printable(entity.body, &out);
    }
    return true;
  }
};

}  // namespace

bool has_eight_bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool is_signed_by_others(std::string_view message) {
  const Entity entity = split(message);
  for (const Field& field : entity.fields) {
    for (const std::string_view name : {"DKIM-Signature", "ARC-Seal", "DomainKey-Signature"}) {
      if (conf::equal_ignoring_case(field.name, name)) return true;
    }
  }
  return type_of(entity) == "multipart/signed";
}

std::optional<std::string> to_seven_bit(std::string_view message) {
  Converter converter;
  converter.out.reserve(message.size() + message.size() / 4);
  if (!converter.entity(message, true, 0)) return std::nullopt;
  return std::move(converter.out);
}

}  // namespace relay
