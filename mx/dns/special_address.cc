#include "mx/dns/special_address.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "conf/config.h"
#include "conf/vocab/ascii.h"

namespace mx {

namespace {

using Ip = std::array<uint8_t, 16>;

struct AddressBlock {
  Ip network;
  uint8_t bits;
};

constexpr AddressBlock v4(uint8_t a, uint8_t b, uint8_t c, uint8_t bits) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, 0}, static_cast<uint8_t>(96 + bits)};
}

constexpr AddressBlock v6(uint16_t a, uint16_t b, uint16_t c, uint16_t d, uint8_t bits) {
  const auto high = [](uint16_t x) { return static_cast<uint8_t>(x >> 8); };
  const auto low = [](uint16_t x) { return static_cast<uint8_t>(x & 0xff); };
  return {{high(a), low(a), high(b), low(b), high(c), low(c), high(d), low(d)}, bits};
}

constexpr AddressBlock kSpecial[] = {
    v4(0, 0, 0, 8),        // this network (RFC 791)
    v4(10, 0, 0, 8),       // private use (RFC 1918)
    v4(100, 64, 0, 10),    // shared address space (RFC 6598)
    v4(127, 0, 0, 8),      // loopback (RFC 1122)
    v4(169, 254, 0, 16),   // link local (RFC 3927)
    v4(172, 16, 0, 12),    // private use
    v4(192, 0, 0, 24),     // IETF protocol assignments (RFC 6890)
    v4(192, 0, 2, 24),     // documentation (RFC 5737)
    v4(192, 88, 99, 24),   // 6to4 relay anycast, deprecated (RFC 7526)
    v4(192, 168, 0, 16),   // private use
    v4(198, 18, 0, 15),    // benchmarking (RFC 2544)
    v4(198, 51, 100, 24),  // documentation
    v4(203, 0, 113, 24),   // documentation
    v4(224, 0, 0, 4),      // multicast
    v4(240, 0, 0, 4),      // reserved, and limited broadcast
    // ::, ::1 and the IPv4-compatible forms (RFC 4291 §2.5.5.1) lie in ::/96.
    {{}, 96},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96},  // IPv4-translated (RFC 2765)
    v6(0x64, 0xff9b, 1, 0, 48),                  // local-use translation (RFC 8215)
    v6(0x100, 0, 0, 0, 63),                      // discard only, dummy prefix (RFC 6666, 9780)
    v6(0x2001, 0, 0, 0, 23),                     // IETF protocol assignments: Teredo, benchmarking, ORCHID
    v6(0x2001, 0xdb8, 0, 0, 32),                 // documentation (RFC 3849)
    v6(0x3fff, 0, 0, 0, 20),                     // documentation (RFC 9637)
    v6(0x5f00, 0, 0, 0, 16),                     // segment routing (RFC 9602)
    v6(0xfc00, 0, 0, 0, 7),                      // unique local (RFC 4193)
    v6(0xfe80, 0, 0, 0, 10),                     // link local
    v6(0xfec0, 0, 0, 0, 10),                     // site local, deprecated (RFC 3879)
    v6(0xff00, 0, 0, 0, 8),                      // multicast
};

bool is_in(const Ip& ip, const AddressBlock& block) {
  const size_t whole = block.bits / 8;
  if (!std::equal(ip.begin(), ip.begin() + static_cast<ptrdiff_t>(whole), block.network.begin()))
    return false;
  const unsigned rest = block.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff00U >> rest);
  return (ip[whole] & mask) == (block.network[whole] & mask);
}

bool is_special(const Ip& ip) {
  return std::ranges::any_of(kSpecial, [&ip](const AddressBlock& block) { return is_in(ip, block); });
}

Ip v4_inside(const Ip& ip, size_t at) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ip[at], ip[at + 1], ip[at + 2], ip[at + 3]};
}

constexpr AddressBlock kNat64 = v6(0x64, 0xff9b, 0, 0, 96);
constexpr AddressBlock k6to4 = v6(0x2002, 0, 0, 0, 16);

// RFC 5214 §6.1: the interface identifier ::0:5efe:a.b.c.d or ::200:5efe:a.b.c.d.
bool is_isatap(const Ip& ip) {
  return (ip[8] & 0xfdU) == 0 && ip[9] == 0 && ip[10] == 0x5e && ip[11] == 0xfe;
}

constexpr AddressBlock kLocalNat64 = v6(0x64, 0xff9b, 1, 0, 96);  // of RFC 8215, as it is mostly used
constexpr AddressBlock kTranslated = {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr AddressBlock kCompatible = {{}, 96};

// The IPv4 address that a packet for `ip` is for at last; `ip` itself when there is none inside.
Ip innermost(const Ip& ip) {
  if (is_in(ip, k6to4)) return v4_inside(ip, 2);
  const bool low = is_in(ip, kNat64) || is_in(ip, kLocalNat64) || is_in(ip, kTranslated) || is_isatap(ip) ||
                   (is_in(ip, kCompatible) && (ip[12] | ip[13]) != 0);  // ::1 is no IPv4 address
  return low ? v4_inside(ip, 12) : ip;
}

bool is_own_machine(const Ip& ip) {
  constexpr AddressBlock kLoopback = v4(127, 0, 0, 8);
  constexpr Ip kAny{}, kOne{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr Ip kAnyV4 = v4(0, 0, 0, 32).network;
  return is_in(ip, kLoopback) || ip == kAnyV4 || ip == kOne || ip == kAny;
}

std::string_view last_label(std::string_view domain) {
  if (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
  const size_t dot = domain.rfind('.');
  return dot == std::string_view::npos ? domain : domain.substr(dot + 1);
}

}  // namespace

bool is_private_target(std::string_view address) {
  Ip ip{};
  if (!conf::parse_ip(address, &ip)) return true;
  if (is_special(ip)) return true;
  if (is_in(ip, kNat64) && is_special(v4_inside(ip, 12))) return true;
  if (is_in(ip, k6to4) && is_special(v4_inside(ip, 2))) return true;
  return is_isatap(ip) && is_special(v4_inside(ip, 12));
}

bool same_address(std::string_view a, std::string_view b) {
  Ip left{}, right{};
  return conf::parse_ip(a, &left) && conf::parse_ip(b, &right) && left == right;
}

bool leads_to(std::string_view address, std::string_view own) {
  Ip left{}, right{};
  if (!conf::parse_ip(address, &left) || !conf::parse_ip(own, &right)) return false;
  return left == right || innermost(left) == right;
}

bool is_this_machine(std::string_view address) {
  Ip ip{};
  return conf::parse_ip(address, &ip) && (is_own_machine(ip) || is_own_machine(innermost(ip)));
}

bool is_never_a_name(std::string_view domain) {
  static constexpr std::string_view kNever[] = {"onion", "invalid", "alt"};
  const std::string_view last = last_label(domain);
  return std::ranges::any_of(kNever, [last](std::string_view each) {
    return std::ranges::equal(last, each, [](char a, char b) { return conf::ascii_lower(a) == b; });
  });
}

}  // namespace mx
