// The bounds of SMTP and DNS that several rooms share, with their origin. A bound of one part stands in that
// part; what an operator may set is in config.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace conf::limits {

inline constexpr size_t kDomainOctets = 255;   // RFC 5321 §4.5.3.1.2
inline constexpr size_t kPathOctets = 256;     // RFC 5321 §4.5.3.1.3
inline constexpr size_t kCommandOctets = 512;  // RFC 5321 §4.5.3.1.4
// 512 + DSN (RFC 3461 §5.6: +500 ORCPT, +100 ENVID), SIZE, BODY, AUTH, SMTPUTF8.
inline constexpr size_t kCommandOctetsExtended = 2048;
// RFC 4954 §4: a client may send a line of up to 12288 octets.
inline constexpr size_t kAuthLineOctets = 12288;
inline constexpr size_t kReplyLineOctets = 4096;  // RFC 5321 §4.5.3.1.5 says 512; real servers exceed it
inline constexpr size_t kReplyLines = 256;        // an endless reply is hostile
// Of a message that comes in: it is looked through in one step. Mail has a few kilobytes, a mailing list some
// more.
inline constexpr size_t kHeaderOctets = 1 << 20;
// A client that brings no mail may keep its connection open; not for ever at full speed.
inline constexpr uint32_t kIdleCommands = 100'000;
inline constexpr size_t kMxHosts = 20;  // hosts of one domain that are looked at
inline constexpr size_t kAddressesPerHost = 16;
inline constexpr size_t kCnameChain = 8;
inline constexpr size_t kEnvidOctets = 100;  // RFC 3461 §4.4
inline constexpr size_t kOrcptOctets = 500;  // RFC 3461 §4.2

}  // namespace conf::limits
