#include "relay/walk/seven_bit.h"

#include <algorithm>

#include "conf/vocab/ascii.h"
#include "relay/smtp/mime_entity.h"
#include "relay/walk/mime_words.h"

namespace relay {

namespace {

using smtp::media_type_of;
using smtp::MimeEntity;
using smtp::MimeField;
using smtp::value_of;

class Converter {
 public:
  bool entity(std::string_view text, bool top, int depth) {
    if (!smtp::has_eight_bit(text)) {
      out.append(text);
      return true;
    }
    if (depth > smtp::kDeepestPart) return false;
    const MimeEntity entity = smtp::read_entity(text);
    const std::string type = media_type_of(entity);
    const std::string boundary = type.starts_with("multipart/") ? smtp::parameter_of(entity, "boundary") : "";
    if (!boundary.empty()) {
      header(entity, "7bit");
      return smtp::for_each_part(
          entity.body, boundary,
          [this, depth](std::string_view part) { return this->entity(part, false, depth + 1); },
          [this](std::string_view between) { put_plain(between); });
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
  void header(const MimeEntity& entity, std::string_view encoding) {
    for (const MimeField& field : entity.fields) {
      if (!encoding.empty() && conf::equal_ignoring_case(field.name, "Content-Transfer-Encoding")) {
        out.append(field.name).append(": ").append(encoding).append("\r\n");
      } else if (smtp::has_eight_bit(field.whole)) {
        append_encoded_field(field.whole, &out);
      } else {
        out.append(field.whole);
      }
    }
    out.append(entity.separator);
  }

  void put_plain(std::string_view text) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }

  bool leaf(const MimeEntity& entity, const std::string& type, bool top) {
    const std::string encoding = conf::ascii_lower(value_of(entity, "Content-Transfer-Encoding"));
    if (!smtp::has_eight_bit(entity.body)) {  // the header alone has them
      header(entity, "");
      out.append(entity.body);
      return true;
    }
    if (encoding == "base64" || type == "message/delivery-status") return false;
    const bool text = type.empty() || type.starts_with("text/") || type.starts_with("message/");
    const bool quoted = encoding == "quoted-printable";
    const std::string_view now =
        quoted || (text && is_mostly_ascii(entity.body)) ? "quoted-printable" : "base64";
    MimeEntity heading = entity;
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

bool is_signed_by_others(std::string_view message) {
  const MimeEntity entity = smtp::read_entity(message);
  for (const MimeField& field : entity.fields) {
    for (const std::string_view name : {"DKIM-Signature", "ARC-Seal", "DomainKey-Signature"}) {
      if (conf::equal_ignoring_case(field.name, name)) return true;
    }
  }
  return media_type_of(entity) == "multipart/signed";
}

std::optional<std::string> to_seven_bit(std::string_view message) {
  Converter converter;
  converter.out.reserve(message.size() + message.size() / 4);
  if (!converter.entity(message, true, 0)) return std::nullopt;
  return std::move(converter.out);
}

}  // namespace relay
