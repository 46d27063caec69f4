#include "relay/smtp/peer_features.h"

#include "conf/vocab/ascii.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace relay::smtp {

namespace {

struct Keyword {
  std::string_view name;
  bool PeerFeatures::*flag;
};

constexpr Keyword kKeywords[] = {
    {"PIPELINING", &PeerFeatures::pipelining},                // RFC 2920
    {"CHUNKING", &PeerFeatures::chunking},                    // RFC 3030
    {"8BITMIME", &PeerFeatures::eight_bit_mime},              // RFC 6152
    {"SMTPUTF8", &PeerFeatures::smtputf8},                    // RFC 6531
    {"DSN", &PeerFeatures::dsn},                              // RFC 3461
    {"STARTTLS", &PeerFeatures::starttls},                    // RFC 3207
    {"ENHANCEDSTATUSCODES", &PeerFeatures::enhanced_status},  // RFC 2034
    {"SIZE", &PeerFeatures::size_known},                      // RFC 1870
};

// RFC 4954 §3; "AUTH=LOGIN" is an old spelling.
void read_mechanisms(std::string_view words, AuthSet* out) {
  while (!words.empty()) {
    const size_t end = std::min(words.find_first_of(" \t="), words.size());
    for (size_t i = 0; i < kAuthMechanisms; ++i) {
      const auto mechanism = static_cast<AuthMechanism>(i);
      if (conf::equal_ignoring_case(words.substr(0, end), to_text(mechanism))) out->add(mechanism);
    }
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

}  // namespace

PeerFeatures parse_ehlo_reply(const bounce::Reply& reply) {
  PeerFeatures features;
  features.esmtp = true;
  for (size_t i = 1; i < reply.lines.size(); ++i) {  // the first line is the peer's name and greeting
    const std::string_view line = reply.lines[i];
    const size_t space = line.find_first_of(" \t=");
    const std::string_view name = line.substr(0, space);
    for (const Keyword& keyword : kKeywords) {
      if (conf::equal_ignoring_case(name, keyword.name)) features.*keyword.flag = true;
    }
    if (space == std::string_view::npos) continue;
    if (conf::equal_ignoring_case(name, "AUTH")) read_mechanisms(line.substr(space + 1), &features.auth);
    if (!conf::equal_ignoring_case(name, "SIZE")) continue;
    const std::string_view value = line.substr(space + 1);
    uint64_t size = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), size);
    if (read.ec == std::errc()) features.max_size = size;
  }
  features.eight_bit_clean = features.eight_bit_mime;
  return features;
}

}  // namespace relay::smtp
