#include "conf/vocab/envelope.h"
#include "conf/vocab/ascii.h"

namespace conf {

namespace {
// Crockford's base 32: no i, l, o, u.
constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t kLength = 13;  // 13 x 5 bits hold 64
}  // namespace

std::string to_text(MessageId id) {
  std::string text(kLength, '0');
  for (size_t i = kLength; i-- > 0; id >>= 5) text[i] = kDigits[id & 31];
  return text;
}

Result<MessageId> parse_message_id(std::string_view text) {
  const Error bad{ErrorCode::kInvalid, "\"" + std::string(text.substr(0, 40)) +
                                           "\" is not a message id (13 characters, as the log has them)"};
  if (text.size() != kLength) return bad;
  MessageId id = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(ascii_lower(c));
    if (digit == std::string_view::npos || (id >> 59) != 0) return bad;
    id = (id << 5) | digit;
  }
  return id;
}

}  // namespace conf
