#include "relay/walk/seven_bit.h"

#include <algorithm>
#include <iterator>

#include "conf/vocab/ascii.h"
#include "relay/smtp/mime_entity.h"
#include "relay/walk/mime_field.h"
#include "relay/walk/mime_words.h"

namespace relay {

namespace {

using smtp::media_type_of;
using smtp::MimeEntity;
using smtp::MimeField;
using smtp::value_of;

// Whether all of it but the octets above 127 could be base64; else only the label says so.
bool is_base64(std::string_view body) {
  return std::all_of(body.begin(), body.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || conf::is_digit(c) ||
           (conf::ascii_lower(c) >= 'a' && conf::ascii_lower(c) <= 'z') || c == '+' || c == '/' || c == '=' ||
           c == '\r' || c == '\n' || c == ' ' || c == '\t';
  });
}

class Converter {
 public:
  explicit Converter(SignedParts signed_parts) : signed_parts_(signed_parts) {}

  // `around`: the type of the multipart that it is a part of.
  bool entity(std::string_view text, bool top, int depth, std::string_view around = "") {
    if (!smtp::has_eight_bit(text)) {
      out.append(text);
      return true;
    }
    if (depth > smtp::kDeepestPart) return false;
    const MimeEntity entity = smtp::read_entity(text);
    const std::string type = media_type_of(entity, around);
    if (type == "multipart/signed" && signed_parts_ == SignedParts::kKeep) return false;
    const std::string boundary = type.starts_with("multipart/") ? smtp::parameter_of(entity, "boundary") : "";
    if (!boundary.empty() && entity.body.find("--" + boundary) != std::string_view::npos) {
      header(entity, "7bit");
      return smtp::for_each_part(
          entity.body, boundary,
          [&](std::string_view part) { return this->entity(part, false, depth + 1, type); },
          [this](std::string_view between) { put_plain(between); });
    }
    if (type == "message/rfc822") {
      header(entity, "7bit");
      return this->entity(entity.body, false, depth + 1);
    }
    // RFC 2045 §6.4: it has no encoding of its own.
    if (type == "message/partial") return false;
    if (type.starts_with("multipart/")) return leaf(as_plain_text(entity), "", top);
    return leaf(entity, type, top);
  }

  std::string out;

 private:
  const SignedParts signed_parts_;

  // `encoding`: of the content now; "": as it was.
  void header(const MimeEntity& entity, std::string_view encoding) {
    for (const MimeField& field : entity.fields) {
      if (!encoding.empty() && conf::equal_ignoring_case(field.name, "Content-Transfer-Encoding")) {
        out.append(field.name).append(": ").append(encoding).append("\r\n");
      } else if (smtp::has_eight_bit(field.whole)) {
        append_seven_bit_field(field.name, field.whole, &out);
      } else {
        out.append(field.whole);
      }
    }
    out.append(entity.separator);
  }

  // RFC 2045 §5.2: what has an invalid Content-Type, as a multipart without a boundary, is read as plain
  // text.
  static MimeEntity as_plain_text(MimeEntity entity) {
    std::erase_if(entity.fields, [](const MimeField& field) {
      return conf::equal_ignoring_case(field.name, "Content-Type");
    });
    return entity;
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
    // RFC 2045 §6.8: what is not of its alphabet is passed over by who reads it.
    if (encoding == "base64" && is_base64(entity.body)) {
      header(entity, "");
      std::copy_if(entity.body.begin(), entity.body.end(), std::back_inserter(out),
                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
      return true;
    }
    if (type == "message/delivery-status") {  // RFC 3464 §2.1: 7 bits, without an encoding
      header(entity, "7bit");
      put_plain(entity.body);
      return true;
    }
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

bool has_utf8_address(std::string_view message) {
  std::string scratch;
  for (const MimeField& field : smtp::read_entity(message).fields) {
    scratch.clear();
    if (smtp::has_eight_bit(field.whole) && !append_seven_bit_field(field.name, field.whole, &scratch))
      return true;
  }
  return false;
}

std::optional<std::string> to_seven_bit(std::string_view message, SignedParts signed_parts) {
  Converter converter(signed_parts);
  converter.out.reserve(message.size() + message.size() / 4);
  if (!converter.entity(message, true, 0)) return std::nullopt;
  return std::move(converter.out);
}

}  // namespace relay
