// Strings, times and numbers as JSON has them.
#include <algorithm>
#include <array>
#include <charconv>

#include "conf/vocab/calendar.h"
#include "conf/vocab/utf8.h"
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
      const conf::Utf8Character character = conf::utf8_character(text.substr(i));
      if (character.octets != 0 && !must_hide(character.code_point)) {
        i += character.octets;
        continue;
      }
      if (character.octets != 0) code_point = character.code_point;
      length = std::max<size_t>(character.octets, 1);
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
