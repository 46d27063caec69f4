#include "bounce/dsn_original.h"

#include <algorithm>

#include "bounce/dsn_text.h"
#include "conf/vocab/utf8.h"

namespace bounce {

namespace {

constexpr size_t kWholeMax = 1'000'000;  // what a sender may be asked to take back
constexpr size_t kHeaderMax = 100'000;   // a longer header is an attack or an accident
constexpr size_t kLineMax = 998;         // RFC 5322 §2.1.1

// The lines of the header, up to the empty line; ends repaired, long lines and odd octets cut.
std::string header_of(std::string_view message) {
  std::string out;
  while (!message.empty()) {
    const size_t end = message.find('\n');
    std::string_view line = message.substr(0, end);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || out.size() + line.size() > kHeaderMax) break;
    const size_t begin = out.size();
    out.append(conf::utf8_prefix(line, kLineMax));
    std::replace_if(
        out.begin() + static_cast<ptrdiff_t>(begin), out.end(), [](char c) { return c == '\r' || c == '\0'; },
        '?');
    out.append("\r\n");
  }
  return out;
}

bool can_travel_unchanged(std::string_view message) {
  if (message.empty() || message.size() > kWholeMax) return false;
  while (!message.empty()) {
    const size_t end = message.find("\r\n");
    const std::string_view line = message.substr(0, end);
    if (line.size() > kLineMax ||
        line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
      return false;
    }
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 2);
  }
  return true;
}

}  // namespace

ReturnedPart returned_part(std::string_view original, bool whole, bool smtputf8) {
  ReturnedPart part;
  whole = whole && can_travel_unchanged(original);
  const std::string header = header_of(original);
  const bool global = smtputf8 && has_8bit(header) && conf::is_utf8(header);
  if (whole) {
    part.content_type = global ? "message/global" : "message/rfc822";
    part.content = original;
    if (part.content.size() < 2 || part.content.compare(part.content.size() - 2, 2, "\r\n") != 0) {
      part.content += "\r\n";
    }
  } else {
    part.content_type = global ? "message/global-headers" : "text/rfc822-headers";
    part.content = header;
  }
  part.eight_bit = has_8bit(part.content);
  return part;
}

}  // namespace bounce
