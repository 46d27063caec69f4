// One typed record per thing that happens to a message, or is decided about a site: the delivery log and the
// metrics are made from these.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"

namespace conf {

enum class EventKind : uint8_t {
  kAccepted,
  kDeferred,
  kDelivered,
  kFailed,
  kExpired,
  kReportSent,
  kDropped,
  kUnsigned,  // no DKIM signature could be made; `reply` says why
  kAlarm,     // something that must not be: `reply` says what
  kDecision,  // about a site, not a message: `decision` says what, the fields of a message are not written
};

// Durations of the stages of one attempt; negative when the stage was not reached.
struct StageDelays {
  Duration queue{-1};        // due until picked up by a connection
  Duration dns{-1};          // routing
  Duration connect{-1};      // TCP, TLS, greeting and EHLO; 0 on a reused connection
  Duration transaction{-1};  // MAIL until the last reply
};

// How fast mail may flow to a site was changed, with the evidence.
struct SiteDecision {
  // "block", "probe", "ramp", "open", "unblock", "slow", "adapt", "advise", "warmup" or "reset"
  std::string action;
  std::string rule;   // name of the MX rule
  std::string where;  // where it stands, "file:line"
  std::string by;     // "threshold 1", "operator", "adaptive", "warm-up", "replies"
  std::string site;
  std::string source;
  uint64_t messages = 0;  // that were counted; 0: nothing was, and errors and share say nothing
  uint64_t errors = 0;
  double share = 0;                  // errors among them, 0 to 1
  WallTime until;                    // the epoch: no end
  uint64_t rate_per_hour = 0;        // 0: no rate
  std::vector<std::string> samples;  // up to three replies that led to it
  std::string text;                  // all of it in a line for people
};

struct DeliveryEvent {
  EventKind kind = EventKind::kAccepted;
  WallTime time;
  MessageId id = 0;
  std::string reverse_path;
  std::string recipient;  // one event per recipient, except kAccepted (first recipient, `recipients` counts)
  uint32_t recipients = 0;  // kAccepted: how many
  uint64_t size_bytes = 0;
  std::string site;  // the MX host set the domain rolls up to
  std::string mx_host;
  std::string mx_address;       // "192.0.2.1:25"
  std::string source;           // name of our source
  std::string tls;              // "TLSv1.3" or empty
  uint16_t reply_code = 0;      // 0: no reply (network, DNS, local); the reason is in `reply`
  std::string enhanced_status;  // "5.1.1"
  std::string reply;            // reply text or local reason, one line
  std::string type;             // of a refusal: "hard", "soft", "ignored"; or empty
  std::string rule;             // what qualified the refusal, or held the message back; or empty
  std::string stage;            // "dns", "connect", "greeting", "mail", "rcpt", "data", "dot", ...
  uint32_t attempt = 0;
  WallTime next_attempt;   // kDeferred: when it is tried again
  bool uncertain = false;  // the connection broke between the final dot and its reply: may be a duplicate
  StageDelays delays;
  std::string client;                            // kAccepted: address of the client
  std::string listener;                          // kAccepted
  std::string auth;                              // kAccepted: authenticated user
  MessageId related = 0;                         // kReportSent: the message that the report is about
  std::shared_ptr<const SiteDecision> decision;  // kDecision
};

}  // namespace conf
