// Strings, times and numbers as JSON has them.
#include <algorithm>
#include <array>
#include <charconv>

#include "conf/vocab/calendar.h"
#include "relay/log/event_json.h"

namespace relay::log {
namespace {

enum ByteClass : uint8_t { kPlain, kEscape, kMultiByte };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (size_t byte = 0; byte < 256; ++byte) {
    if (byte >= 0x80) {
      classes[byte] = kMultiByte;
    } else if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') {
      classes[byte] = kEscape;
    }
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

void append_unicode_escape(uint32_t code_point, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  const char text[6] = {'\\',
                        'u',
                        kHex[(code_point >> 12) & 15],
                        kHex[(code_point >> 8) & 15],
                        kHex[(code_point >> 4) & 15],
                        kHex[code_point & 15]};
  out->append(text, sizeof text);
}

void append_escape(unsigned char byte, std::string* out) {
  switch (byte) {
    case '"':
      out->append("\\\"", 2);
      return;
    case '\\':
      out->append("\\\\", 2);
      return;
    case '\n':
      out->append("\\n", 2);
      return;
    case '\r':
      out->append("\\r", 2);
      return;
    case '\t':
      out->append("\\t", 2);
      return;
    default:
      append_unicode_escape(byte, out);
  }
}

// The length of the well-formed sequence at the front (RFC 3629 §4), 0 when there is none.
size_t sequence_length(std::string_view text, uint32_t* code_point) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const uint32_t lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf && continues(1)) {
    *code_point = (lead & 0x1f) << 6 | (byte(1) & 0x3f);
    return 2;
  }
  if (lead >= 0xe0 && lead <= 0xef && continues(1) && continues(2)) {
    *code_point = (lead & 0x0f) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3f);
    const bool surrogate = *code_point >= 0xd800 && *code_point <= 0xdfff;
    return *code_point >= 0x800 && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4 && continues(1) && continues(2) && continues(3)) {
    *code_point = (lead & 0x07) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3f);
    return *code_point >= 0x10000 && *code_point <= 0x10ffff ? 4 : 0;
  }
  return 0;
}

// Characters that a terminal or an editor would obey instead of show.
bool must_hide(uint32_t code_point) {
  return (code_point >= 0x80 && code_point <= 0x9f) ||      // C1 controls: U+009B is CSI
         (code_point >= 0x2028 && code_point <= 0x202e) ||  // line separators, bidirectional overrides
         (code_point >= 0x2066 && code_point <= 0x2069);    // bidirectional isolates
}

}  // namespace

void append_json_string(std::string_view text, std::string* out) {
  out->push_back('"');
  size_t begin = 0;
  size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (kClasses[byte] == kPlain) {
      ++i;
      continue;
    }
    uint32_t code_point = 0xfffd;
    size_t length = 1;
    if (kClasses[byte] == kMultiByte) {
      const size_t valid = sequence_length(text.substr(i, 4), &code_point);
      if (valid != 0 && !must_hide(code_point)) {
        i += valid;
        continue;
      }
      if (valid == 0) code_point = 0xfffd;
      length = std::max<size_t>(valid, 1);
    }
    out->append(text, begin, i - begin);
    if (kClasses[byte] == kMultiByte) {
      append_unicode_escape(code_point, out);
    } else {
      append_escape(byte, out);
    }
    i += length;
    begin = i;
  }
  out->append(text, begin, text.size() - begin);
  out->push_back('"');
}

void append_json_time(conf::WallTime time, std::string* out) {
  using conf::put_digits;
  const conf::CivilTime civil = conf::civil(time);
  char text[] = "\"0000-00-00T00:00:00.000000Z\"";
  put_digits(text + 1, 4, static_cast<uint32_t>(static_cast<int>(civil.date.year())));
  put_digits(text + 6, 2, static_cast<unsigned>(civil.date.month()));
  put_digits(text + 9, 2, static_cast<unsigned>(civil.date.day()));
  put_digits(text + 12, 2, static_cast<uint32_t>(civil.time_of_day.hours().count()));
  put_digits(text + 15, 2, static_cast<uint32_t>(civil.time_of_day.minutes().count()));
  put_digits(text + 18, 2, static_cast<uint32_t>(civil.time_of_day.seconds().count()));
  put_digits(text + 21, 6, static_cast<uint32_t>(civil.time_of_day.subseconds().count()));
  out->append(text, sizeof text - 1);
}

void append_json_number(uint64_t value, std::string* out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out->append(digits, end.ptr);
}

}  // namespace relay::log
