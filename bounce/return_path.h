// The signed token that a bounce brings back: which message, which recipient, until when. It stands in the
// reverse-path ("bounces+TOKEN@return.example", VERP), in a header field and in the Message-ID, so that a
// report is matched by what we signed and never by what it claims.
//
// A token is 37 characters of base32 (RFC 4648 §6, written in lower case, read in any case: receivers fold
// local parts): 4 bits grade, 4 bits key number, 64 bits message id, 32 bits recipient, 16 bits last day, 64
// bits of HMAC-SHA256 over all of these. With a prefix of up to 26 octets and '+' it fits the 64 octets of a
// local part (RFC 5321 §4.5.3.1.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/returns_settings.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace bounce {

using conf::VerpGrade;

struct ReturnToken {
  conf::MessageId message = 0;
  uint32_t whom = 0;  // ReturnKeys::check_of() the recipient
  VerpGrade grade = VerpGrade::kRecipient;
  uint8_t key = 0;         // number of the key that signed; set by check()
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

  std::string sign(const ReturnToken& token) const;  // `token.key` is not read
  // What a token of this message and grade says of its recipient, under the first key: 32 bits of HMAC over
  // the message and the address (kRecipient; the local part in lower case, receivers fold it) or its domain
  // (kDomain). A report names the address itself, and only the one that the token was made for fits; any
  // other by a chance of 1 in 4 thousand million, each in each message.
  uint32_t check_of(const ReturnToken& token, const conf::Mailbox& recipient) const;
  // Whether the token, which check() found to be ours, was made for this address. False for kMessage: such a
  // token says nothing about a recipient.
  bool is_for(const ReturnToken& token, const conf::Mailbox& recipient) const;
  // `*token` is set when the signature holds (kValid, kExpired).
  TokenState check(std::string_view text, conf::WallTime now, ReturnToken* token) const;
  // The token in an address "PREFIX+TOKEN@domain" (or without a domain); kNone when the address is no such
  // one.
  TokenState check_address(std::string_view address, std::string_view prefix, conf::WallTime now,
                           ReturnToken* token) const;
  // The token in a Message-ID that we gave, "TOKEN@domain" without angle brackets. kNone when what stands
  // before the '@' has not the shape of a token: others choose theirs as they like. kForged for a token of
  // another grade than kMessage too, for we put none into a Message-ID.
  TokenState check_message_id(std::string_view id, conf::WallTime now, ReturnToken* token) const;
  // "PREFIX+TOKEN"
  std::string local_part(std::string_view prefix, const ReturnToken& token) const;

  // The value of a header field that carries the token and, encrypted (RFC 5297's way, with HMAC), the
  // recipient: feedback loops black out addresses, and bring the header back. In lines of at most 78 octets.
  std::string field_value(const ReturnToken& token, const conf::Mailbox& recipient) const;
  // Reads it again, folded or not. `*recipient` is set when the token is ours and the rest unbroken; else it
  // is the null mailbox.
  TokenState check_field(std::string_view value, conf::WallTime now, ReturnToken* token,
                         conf::Mailbox* recipient) const;

 private:
  const ReturnKey* key_of(uint8_t number) const;
  explicit ReturnKeys(std::vector<ReturnKey> keys) : keys_(std::move(keys)) {}
  std::vector<ReturnKey> keys_;
};

}  // namespace bounce
