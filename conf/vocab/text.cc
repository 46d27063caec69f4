#include "conf/vocab/text.h"

#include <cstdint>

namespace conf {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void append_hex(char octet, std::string* out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(octet);
  out->append({kDigits[value >> 4], kDigits[value & 15]});
}

void append_base64(std::string_view octets, std::string* out) {
  for (size_t i = 0; i < octets.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < octets.size() ? static_cast<unsigned char>(octets[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) *out += i + k > octets.size() ? '=' : kBase64[group >> (18 - 6 * k) & 63];
  }
}

bool decode_base64(std::string_view text, std::string* out) {
  out->clear();
  if (text.size() % 4 != 0) return false;
  out->reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const size_t padding = !last ? 0 : text[i + 2] == '=' ? 2 : text[i + 3] == '=' ? 1 : 0;
    if (padding == 2 && text[i + 3] != '=') return false;
    uint32_t bits = 0;
    for (size_t k = 0; k < 4 - padding; ++k) {
      const size_t value = kBase64.find(text[i + k]);
      if (value == std::string_view::npos) return false;
      bits |= static_cast<uint32_t>(value) << (18 - 6 * k);
    }
    if ((bits & ((1U << 8 * padding) - 1)) != 0) return false;
    out->push_back(static_cast<char>(bits >> 16));
    if (padding < 2) out->push_back(static_cast<char>(bits >> 8 & 0xFF));
    if (padding < 1) out->push_back(static_cast<char>(bits & 0xFF));
  }
  return true;
}

}  // namespace conf
