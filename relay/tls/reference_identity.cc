#include "relay/tls/reference_identity.h"

#include <arpa/inet.h>
#include <strings.h>

#include <algorithm>
#include <cstring>

#include "conf/vocab/ascii.h"

namespace relay::tls {
namespace {

constexpr size_t kNameOctets = 253;  // RFC 1035 §2.3.4, written out
constexpr size_t kLabelOctets = 63;

bool starts_with_ipv6(std::string_view text) {
  return text.size() >= 5 && text[4] == ':' && strncasecmp(text.data(), "ipv6", 4) == 0;
}

bool parse_address(std::string_view text, ReferenceIdentity* out) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return false;
  char copy[INET6_ADDRSTRLEN] = {};
  std::copy(text.begin(), text.end(), copy);
  if (inet_pton(AF_INET, copy, out->address.data()) == 1) {
    out->address_octets = 4;
    return true;
  }
  if (inet_pton(AF_INET6, copy, out->address.data()) != 1) return false;
  out->address_octets = 16;
  static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(out->address.data(), kMapped, sizeof kMapped) == 0) {
    std::memmove(out->address.data(), out->address.data() + sizeof kMapped, 4);
    out->address_octets = 4;
  }
  return true;
}

bool good_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelOctets || label.front() == '-' || label.back() == '-')
    return false;
  return std::ranges::all_of(
      label, [](char c) { return conf::is_digit(c) || conf::is_letter(c) || c == '-' || c == '_'; });
}

bool parse_name(std::string_view text, std::string* name) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > kNameOctets) return false;
  std::string_view rest = text;
  for (;;) {
    const size_t dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (!good_label(label)) return false;
    if (dot == std::string_view::npos) {
      if (std::ranges::all_of(label, conf::is_digit)) return false;
      break;
    }
    rest.remove_prefix(dot + 1);
  }
  name->assign(text);
  for (char& c : *name) {
    c = conf::ascii_lower(c);
  }
  return true;
}

}  // namespace

ReferenceIdentity parse_reference(std::string_view text) {
  ReferenceIdentity out;
  std::string_view literal = text;
  if (literal.size() >= 2 && literal.front() == '[' && literal.back() == ']') {
    literal = literal.substr(1, literal.size() - 2);
    if (starts_with_ipv6(literal)) literal.remove_prefix(5);
  }
  if (parse_address(literal, &out)) {
    out.kind = ReferenceIdentity::Kind::kAddress;
  } else if (parse_name(text, &out.name)) {
    out.kind = ReferenceIdentity::Kind::kName;
  }
  return out;
}

}  // namespace relay::tls
