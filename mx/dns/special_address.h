// Addresses that mail must not be sent to because a stranger's zone says so: those that the special-purpose
// registries of IANA (RFC 6890) do not call globally reachable, in every form in which IPv6 carries them.
#pragma once

#include <string_view>

namespace mx {

// True also for what is no address at all. By the registries as of 2025: loopback, private use, shared space,
// link-local, documentation, benchmarking, multicast, reserved; of NAT64 (RFC 6052), 6to4 (RFC 3056), ISATAP
// (RFC 5214) the IPv4 address inside decides; Teredo, IPv4-compatible and IPv4-translated forms are refused.
bool is_private_target(std::string_view address);

// The same address, whatever its spelling: "::ffff:192.0.2.1" and "192.0.2.1" are one (RFC 4291 §2.5.5.2).
bool same_address(std::string_view a, std::string_view b);

// `address` is that of this machine, or leads to it through a translator or a tunnel: what carries the IPv4
// address `own` inside as NAT64 (RFC 6052, 8215), 6to4, ISATAP, IPv4-translated or IPv4-compatible.
bool leads_to(std::string_view address, std::string_view own);

// Leads to the machine itself, whatever addresses its interfaces have: all of 127/8, ::1, and 0.0.0.0 and ::,
// which connect() takes for these; and what carries such an IPv4 address inside.
bool is_this_machine(std::string_view address);

// Names that no name server knows (RFC 6761, 7686, 9476): nothing is asked about them.
bool is_never_a_name(std::string_view domain);

}  // namespace mx
