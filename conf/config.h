// The configuration: an immutable snapshot. A reload makes a new one; whoever needs it holds a shared_ptr to
// the one it began with. Every member states its key in the file; docs/configuration.md explains each with
// unit and example.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/destination.h"
#include "conf/dkim_settings.h"
#include "conf/mx_rule.h"
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
enum class Durability : uint8_t {
  kSync,
  kRelaxed
};  // relaxed: the kernel writes when it likes; a power cut may lose mail

struct Listener {       // [[listener]]
  std::string name;     // name
  std::string address;  // address = "127.0.0.1:25" (the host part, without brackets)
  uint16_t port = 25;
  bool implicit_tls = false;        // implicit_tls (port 465, RFC 8314)
  bool require_tls = false;         // require_tls: MAIL wants TLS first (530 5.7.0)
  bool auth = false;                // auth: offer AUTH PLAIN LOGIN (needs [[user]])
  bool auth_required = false;       // auth_required: MAIL wants AUTH first
  bool auth_without_tls = false;    // auth_without_tls
  std::vector<Network> relay_from;  // relay_from: who may relay without AUTH; default loopback only
  BareNewline bare_newline = BareNewline::kRefuse;  // bare_newline = "refuse" | "convert"
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

struct User {               // [[user]]
  std::string name;         // name
  std::string secret_hash;  // secret: crypt(3) hash ($y$, $6$, $2b$); see `penstock hash-password`
};

struct Source {                              // [[source]]
  std::string name;                          // name
  uint32_t id = 1;                           // id: what rules name it by; default its position
  bool warmup = false;                       // warmup: a new source; the ladders of the rules hold for it
  std::string address;                       // address: local IP to bind; empty: the system chooses
  std::string ehlo;                          // ehlo: name in EHLO; default hostname
  uint32_t weight = 1;                       // weight
  std::vector<std::string> include_domains;  // include_domains: masks; empty: all
  std::vector<std::string> exclude_domains;  // exclude_domains: applied after include
};

struct DnsSettings {                   // [dns]
  std::vector<std::string> servers;    // servers: "192.0.2.53" or "127.0.0.1:5353"; empty: /etc/resolv.conf
  Duration timeout = 5s;               // timeout of one try
  uint32_t tries = 4;                  // tries
  uint32_t cache_entries = 100'000;    // cache_entries
  Duration max_ttl = 24h;              // max_ttl
  Duration min_ttl = 0s;               // min_ttl
  Duration max_negative_ttl = 1h;      // max_negative_ttl
  bool ipv6 = true;                    // ipv6: try AAAA addresses
  bool allow_private_targets = false;  // allow_private_targets: loopback, RFC 1918, link-local
  bool operator==(const DnsSettings&) const = default;
};

struct SpoolSettings {                           // [spool]
  std::string path = "/var/lib/penstock/spool";  // path
  Durability durability = Durability::kSync;     // durability = "sync" | "relaxed"
  uint64_t reserve_bytes = 256'000'000;      // reserve: refuse new mail (452 4.3.1) below this much free disk
  uint64_t body_memory_bytes = 512'000'000;  // body_memory: bodies kept in memory for the next attempt
  uint64_t max_messages = 20'000'000;        // max_messages: then 452 4.3.1
  bool operator==(const SpoolSettings&) const = default;
};

struct LogSettings {                                      // [log]
  std::string path = "/var/log/penstock/delivery.jsonl";  // path of the delivery log
  uint64_t rotate_bytes = 1'000'000'000;                  // rotate_size; 0: never by size
  uint32_t keep = 10;                                     // keep: rotated files
  bool operator==(const LogSettings&) const = default;
};

struct AdminSettings {                              // [admin]
  std::string socket = "/run/penstock/admin.sock";  // socket
  bool operator==(const AdminSettings&) const = default;
};

struct MxSettings {                           // [mx]
  std::string shipped_rules = kBuiltInRules;  // shipped_rules = "built-in" | "off" | path of a file
  static constexpr const char* kBuiltInRules = "built-in";
  static constexpr const char* kNoRules = "off";
};

struct Config {
  std::string file;                            // where it was read
  std::string hostname;                        // hostname (required)
  std::string run_as;                          // run_as: user to become after bind; empty: stay
  std::string postmaster;                      // postmaster: From of reports; default postmaster@hostname
  std::string tls_certificate;                 // [tls] certificate (PEM chain)
  std::string tls_key;                         // [tls] key (PEM)
  std::string tls_ca_file;                     // [tls] ca_file; empty: the system's
  uint32_t max_outbound_connections = 10'000;  // max_outbound_connections, all sites together
  Duration path_backoff_first = 4s;   // [backoff] first: after a failed connection, doubled each time
  Duration path_backoff_max = 10min;  // [backoff] max
  Duration ready_limit = 10min;       // [backoff] ready_limit: wait at most this long for a path, then defer
  Duration shutdown_deadline = 30s;   // shutdown_deadline
  std::vector<Listener> listeners;
  std::vector<User> users;
  std::vector<Source> sources;  // never empty: a default one named "default" is made
  DestinationSettings defaults;
  std::vector<Destination> destinations;
  DnsSettings dns;
  SpoolSettings spool;
  LogSettings log;
  AdminSettings admin;
  DkimSettings dkim;
  MxSettings mx;
  QuarantineSettings quarantine;
  OutageGuardSettings outage_guard;
  std::vector<MxRule> rules;  // [[rule]]: the local ones in their order, then the shipped ones

  // The settings for a recipient domain: first matching destination, else the defaults. O(destinations).
  // `index` (may be null) gets 0 for the defaults, else 1 + position of the destination.
  const DestinationSettings& settings_for(std::string_view domain, uint32_t* index = nullptr) const;
};

using ConfigPtr = std::shared_ptr<const Config>;
using SettingsPtr = std::shared_ptr<const DestinationSettings>;

// The settings for a recipient domain, with the configuration that they are in.
SettingsPtr settings_in(const ConfigPtr& config, std::string_view domain, uint32_t* index = nullptr);

}  // namespace conf
