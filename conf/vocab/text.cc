#include "conf/vocab/text.h"

#include <cstdint>

namespace conf {

void append_hex(char octet, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(octet);
  out->append({kDigits[value >> 4], kDigits[value & 15]});
}

void append_base64(std::string_view octets, std::string* out) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < octets.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < octets.size() ? static_cast<unsigned char>(octets[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) *out += i + k > octets.size() ? '=' : kLetters[group >> (18 - 6 * k) & 63];
  }
}

}  // namespace conf
