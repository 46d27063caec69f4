// Where mail comes in: [[listener]] and [intake].
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/quarantine_settings.h"
#include "conf/vocab/time.h"

namespace conf {

// A network in CIDR form; an IPv4 address is kept as IPv4-mapped IPv6.
struct Network {
  std::array<uint8_t, 16> address{};
  uint8_t prefix_bits = 128;
  bool contains(const std::array<uint8_t, 16>& other) const;
};
// "192.0.2.7", "2001:db8::1" or "::ffff:192.0.2.7" into the mapped form. False when the text is not an
// address.
bool parse_ip(std::string_view text, std::array<uint8_t, 16>* out);

enum class BareNewline : uint8_t { kRefuse, kConvert };
enum class NulOctets : uint8_t { kConvert, kRefuse };  // a space in its place; 550
// kByClient: tolerant to who logged in or comes from loopback, strict to the others.
enum class Tolerance : uint8_t { kByClient, kStrict, kTolerant };

// kBounce: takes mail that comes back and nothing else, whoever the client is.
enum class ListenerRole : uint8_t { kRelay, kBounce };

struct Listener {       // [[listener]]
  std::string name;     // name
  std::string address;  // address = "127.0.0.1:25" (the host part, without brackets)
  uint16_t port = 25;
  ListenerRole role = ListenerRole::kRelay;  // role = "relay" | "bounce"
  bool implicit_tls = false;                 // implicit_tls (port 465, RFC 8314)
  bool require_tls = false;                  // require_tls: MAIL wants TLS first (530 5.7.0)
  bool auth = false;                         // auth: offer AUTH PLAIN LOGIN (needs [[user]])
  bool auth_required = false;                // auth_required: MAIL wants AUTH first
  bool auth_without_tls = false;             // auth_without_tls
  std::vector<Network> relay_from;           // relay_from: who may relay without AUTH; default loopback only
  BareNewline bare_newline = BareNewline::kRefuse;  // bare_newline = "refuse" | "convert"
  // tolerant: takes what phones, printers and old programs write beside the standard
  Tolerance tolerance = Tolerance::kByClient;
  NulOctets nul = NulOctets::kConvert;        // nul = "convert" | "refuse": NUL octets in a message
  uint64_t max_line_bytes = 65'536;           // max_line: CRLF included (RFC 5321 §4.5.3.1.6: at least 1000)
  uint32_t max_hops = 100;                    // max_hops: Received fields (RFC 5321 §6.3: at least 100)
  bool add_missing_headers = false;           // add_missing_headers: Date, Message-ID, From (submission)
  uint64_t max_message_bytes = 50'000'000;    // max_message_size
  uint32_t max_recipients = 1000;             // max_recipients (at least 100: RFC 5321 §4.5.3.1.8)
  uint32_t max_connections = 2000;            // max_connections
  uint32_t max_connections_per_client = 500;  // max_connections_per_client (loopback too)
  uint32_t max_errors = 20;                   // max_errors: then 421
  uint32_t max_messages_per_connection = 0;   // max_messages_per_connection; 0: no limit
  Duration command_timeout = 5min;            // command_timeout (RFC 5321 §4.5.3.2.7)
  Duration message_timeout = 30min;           // message_timeout: from DATA to the final dot
  bool reject_early_talkers = false;          // reject_early_talkers: bytes before the greeting get 554
  Duration greeting_delay{0};                 // greeting_delay
  QuarantineAction quarantine = QuarantineAction::kRefuse;  // quarantine; default [quarantine] action
};

struct IntakeSettings {  // [intake]
  // What clients may make the relay hold at a time before it has answered them, in all and each. A client is
  // an IPv4 address or the /64 of an IPv6 address.
  uint64_t memory_bytes = 512'000'000;              // memory
  uint64_t memory_per_client_bytes = 128'000'000;   // memory_per_client: of one that may relay
  uint64_t memory_per_stranger_bytes = 16'000'000;  // memory_per_stranger: of one that may not
  // Wrong logins in ten minutes, then 454 without a look.
  uint32_t auth_failures_per_login = 10;    // auth_failures_per_login: of one client for one name
  uint32_t auth_failures_per_client = 100;  // auth_failures_per_client
  uint32_t auth_failures_per_user = 200;    // auth_failures_per_user: for one name, of all clients
  uint32_t descriptors_kept = 0;  // descriptors_kept: for all but clients; 0: an eighth of the limit
};

}  // namespace conf
