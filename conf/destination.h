// How mail goes out to a destination: the keys of [defaults] and [[destination]], some of which a [[rule]]
// may set too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/peer_settings.h"
#include "conf/retry_schedule.h"
#include "conf/vocab/time.h"

namespace conf {

enum class TlsMode : uint8_t { kOff, kOpportunistic, kRequired };

struct SmartHost {   // "relay.example.net", "relay.example.net:2525", "[192.0.2.1]:25", "192.0.2.1:25"
  std::string host;  // name or IP; a name is looked up as A/AAAA, never as MX
  uint16_t port = 25;
};

struct Timeouts {              // RFC 5321 §4.5.3.2
  Duration connect = 30s;      // connect_timeout
  Duration greeting = 5min;    // greeting_timeout
  Duration ehlo = 5min;        // ehlo_timeout
  Duration tls = 1min;         // tls_timeout: the handshake
  Duration mail = 5min;        // mail_timeout
  Duration rcpt = 5min;        // rcpt_timeout
  Duration data_init = 2min;   // data_timeout: DATA until 354
  Duration data_block = 3min;  // block_timeout: each write of the body
  Duration data_done = 10min;  // dot_timeout: final dot until its reply
  Duration quit = 2s;          // quit_timeout
  Duration idle = 5s;          // idle_timeout: keep an unused session for the next message
};

struct DestinationSettings {  // [defaults] and each [[destination]]; a destination inherits the defaults
  std::vector<SmartHost> smart_hosts;     // smart_hosts: tried in order instead of MX
  uint16_t port = 25;                     // port of MX hosts
  TlsMode tls = TlsMode::kOpportunistic;  // tls
  bool tls_verify = false;                // tls_verify: name and chain must verify (only with "required")
  bool tls_fallback_to_clear =
      true;                       // tls_fallback: opportunistic: after a failed handshake try again in clear
  uint32_t max_connections = 20;  // max_connections: per path (site x source)
  uint32_t max_messages_per_connection = 100;     // max_messages_per_connection; 0: no limit
  uint32_t max_recipients_per_transaction = 100;  // max_recipients
  bool pipelining = true;                         // pipelining: use it when offered
  bool chunking = true;                           // chunking: use BDAT when offered
  bool failure_reports = true;                    // failure_reports: RFC 3464 report on final failure
  // delay_report_after: RFC 3461 report of a delay, to who asked for it; 0: never
  Duration delay_report_after = 4h;
  bool delay_reports = false;  // delay_reports: also to who asked for no report and against none
  PeerSettings peer;
  Timeouts timeouts;
  RetrySchedule retry;
};

struct Destination {                 // [[destination]], first match wins
  std::string name;                  // name
  std::vector<std::string> domains;  // domains: masks on the recipient domain
  DestinationSettings settings;
  int line = 0;
};

}  // namespace conf
