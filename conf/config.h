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
#include "conf/listener.h"
#include "conf/mx_rule.h"
#include "conf/quarantine_settings.h"
#include "conf/replies_settings.h"
#include "conf/returns_settings.h"
#include "conf/stream.h"
#include "conf/vocab/time.h"

namespace conf {

enum class Durability : uint8_t {
  kSync,
  kRelaxed
};  // relaxed: the kernel writes when it likes; a power cut may lose mail

struct User {                        // [[user]]
  std::string name;                  // name
  std::string secret_hash;           // secret: crypt(3) hash ($y$, $6$, $2b$); see `penstock hash-password`
  std::vector<std::string> senders;  // senders: masks of reverse-paths that he may use; empty: all
  uint32_t messages_per_hour = 0;    // messages_per_hour; 0: no limit
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
  IntakeSettings intake;
  std::vector<Listener> listeners;
  std::vector<User> users;
  std::vector<Source> sources;  // never empty: a default one named "default" is made
  std::vector<Stream> streams;  // the first that matches decides
  DestinationSettings defaults;
  std::vector<Destination> destinations;
  std::vector<Login> logins;
  DnsSettings dns;
  SpoolSettings spool;
  LogSettings log;
  std::vector<std::string> logged_fields;  // [log] header_fields: of a message, in each line about it
  AdminSettings admin;
  DkimSettings dkim;
  MxSettings mx;
  QuarantineSettings quarantine;
  OutageGuardSettings outage_guard;
  RepliesSettings replies;
  ReturnsSettings returns;
  std::vector<MxRule> rules;  // [[rule]]: the local ones in their order, then the shipped ones

  // The settings for a recipient domain: first matching destination, else the defaults. O(destinations).
  // `index` (may be null) gets 0 for the defaults, else 1 + position of the destination.
  const DestinationSettings& settings_for(std::string_view domain, uint32_t* index = nullptr) const;
  const Login* login(std::string_view name) const;  // null: none of that name
  const User* user(std::string_view name) const;    // null: none of that name
};

using ConfigPtr = std::shared_ptr<const Config>;
using SettingsPtr = std::shared_ptr<const DestinationSettings>;

// The settings for a recipient domain, with the configuration that they are in.
SettingsPtr settings_in(const ConfigPtr& config, std::string_view domain, uint32_t* index = nullptr);

}  // namespace conf
