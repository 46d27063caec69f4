// The MIME structure of a message as readers see it (RFC 5322 §2.1, RFC 2045, RFC 2046). Views into the text;
// pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::smtp {

struct MimeField {
  std::string_view whole;  // with its CRLF
  std::string_view name;
  std::string_view value;  // with the folds, without the last CRLF
};

struct MimeEntity {
  std::vector<MimeField> fields;
  std::string_view separator;  // the empty line; "" when there is no body
  std::string_view body;
};

inline constexpr int kDeepestPart = 20;  // parts within parts that are looked at

// A line that is no field ends the header.
MimeEntity read_entity(std::string_view text);
MimeEntity read_entity(std::string&& text) = delete;                         // the views would outlive it
std::string_view value_of(const MimeEntity& entity, std::string_view name);  // "" when there is no such field
// "multipart/mixed", in lower case; "" without one. `around`: the type of the multipart that it is a part of;
// in a digest it is a message unless it says otherwise (RFC 2046 §5.1.5).
std::string media_type_of(const MimeEntity& entity, std::string_view around = "");
// A parameter of Content-Type (RFC 2045 §5.1), also in pieces or encoded (RFC 2231), in the octets that it
// stands for; "" when it has none.
std::string parameter_of(const MimeEntity& entity, std::string_view name);

// Goes through the body of a multipart: `part` gets each part (RFC 2046 §5.1.1: without the CRLF before the
// delimiter, which `between` gets), `between` all else: preamble, delimiters, epilogue. `part` says whether
// to go on. False: it said no, or there is no part at all.
bool for_each_part(std::string_view body, const std::string& boundary,
                   const std::function<bool(std::string_view)>& part,
                   const std::function<void(std::string_view)>& between);

bool has_eight_bit(std::string_view text);
// Whether the header, that of a part, or that of a message within it (message/global) has octets above 127:
// all of those need SMTPUTF8 (RFC 6531 §3.4, RFC 6532 §3). A part that is encoded needs nothing. O(n), and
// O(depth x n) at most.
bool has_eight_bit_header(std::string_view message);

}  // namespace relay::smtp
