// Mail for a server that takes seven bits only (RFC 6152 §3): content with octets above 127 is encoded anew,
// part by part, as quoted-printable or base64; raw octets in fields become encoded words. What has none stays
// octet for octet. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay {

// Others vouch for its octets: a DKIM-Signature or ARC-Seal stands in its header, or it is multipart/signed.
// Our own signature is not part of `message` and is made again.
bool is_signed_by_others(std::string_view message);

// A field of its header has an address or an id in UTF-8 that has no form in seven bits. O(header).
bool has_utf8_address(std::string_view message);

enum class SignedParts : uint8_t {
  kKeep,     // what holds a multipart/signed that would change cannot be converted
  kConvert,  // its signature breaks
};

// `message`: header and body with CRLF. Nothing when it cannot be said in seven bits: parts within parts
// beyond all measure, message/partial, signed parts. What is wrong already is sent as it is read by others
// (RFC 2045 §5.2, §6.8): a multipart without a boundary as plain text, base64 without the octets that are
// none. O(size).
std::optional<std::string> to_seven_bit(std::string_view message, SignedParts signed_parts);

}  // namespace relay
