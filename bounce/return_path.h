// The signed token that a bounce brings back: which message, which recipient, until when. It stands in the
// reverse-path ("bounces+TOKEN@return.example", VERP) and in a header field, so that a report is matched by
// what we signed and never by what it claims.
//
// A token is 37 characters of base32 (RFC 4648 §6, written in lower case, read in any case: receivers fold
// local parts): 4 bits grade, 4 bits key number, 64 bits message id, 16 bits recipient, 16 bits last day, 80
// bits of HMAC-SHA256 over all of these. With a prefix of up to 26 octets and '+' it fits the 64 octets of a
// local part (RFC 5321 §4.5.3.1.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace bounce {

// What a token tells apart, and so how much mail can share one transaction: kMessage costs nothing,
// kRecipient one transaction for each recipient.
enum class VerpGrade : uint8_t { kOff, kMessage, kDomain, kRecipient };
const char* to_text(VerpGrade grade);  // "off", "message", "domain", "recipient"

struct ReturnToken {
  conf::MessageId message = 0;
  uint16_t recipient = 0;  // its place in the message; of kDomain: of the first one there; of kMessage: 0
  VerpGrade grade = VerpGrade::kRecipient;
  conf::WallTime expires;  // kept to the day: valid until the end of that day (UTC)
};

enum class TokenState : uint8_t { kNone, kValid, kExpired, kForged };
const char* to_text(TokenState state);  // "none", "valid", "expired", "forged"

struct ReturnKey {
  uint8_t number = 0;  // 0 to 15, written into the token
  std::string secret;  // at least 16 octets
};

// Immutable; any thread. Keys rotate with an overlap: put the new key first and keep the old one until the
// last token that it signed has expired.
class ReturnKeys {
 public:
  static constexpr size_t kTokenLength = 37;
  static constexpr size_t kLongestPrefix = 26;

  // The first key signs, all of them verify. kInvalid: no key, a number twice or above 15, a short secret.
  static conf::Result<ReturnKeys> make(std::vector<ReturnKey> keys);
  // A file of keys: a line each, "NUMBER HEXADECIMAL-SECRET"; '#' begins a comment. Errors name the line.
  static conf::Result<ReturnKeys> parse(std::string_view text, std::string_view file_name);

  std::string sign(const ReturnToken& token) const;
  // `*token` is set when the signature holds (kValid, kExpired).
  TokenState check(std::string_view text, conf::WallTime now, ReturnToken* token) const;
  // The token in an address "PREFIX+TOKEN@domain" (or without a domain); kNone when the address is no such
  // one.
  TokenState check_address(std::string_view address, std::string_view prefix, conf::WallTime now,
                           ReturnToken* token) const;
  // "PREFIX+TOKEN"
  std::string local_part(std::string_view prefix, const ReturnToken& token) const;

 private:
  explicit ReturnKeys(std::vector<ReturnKey> keys) : keys_(std::move(keys)) {}
  std::vector<ReturnKey> keys_;
};

}  // namespace bounce
