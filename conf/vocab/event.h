// One typed record per thing that happens to a message, or is decided about a site. relay/journal/events.h
// makes them; the delivery log, the metrics and every other feed are made from them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/vocab/address_notice.h"
#include "conf/vocab/door_event.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/logged_header.h"
#include "conf/vocab/matched_by.h"
#include "conf/vocab/queue_order.h"
#include "conf/vocab/reason.h"
#include "conf/vocab/refusal.h"
#include "conf/vocab/site_decision.h"
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
  kRefusedClient,  // at the door: `door` says who and why, the fields of a message are not written
  // Mail that came back, hours after the message of this id was delivered: what it says of a recipient.
  kBounced,
  kComplained,
  kAutoReply,
  kDelayedReport,    // it is still on its way
  kDeliveredReport,  // good news: delivered, relayed, read
  kUnmatched,        // mail that came back and says nothing that could be believed: `reply` says why
  kTrouble,     // with a server and not with a message: TLS, a login, a host that is sick; `reply` says what
  kSuppressed,  // a recipient that may not be written to: `notice` says why; `id` 0: refused at RCPT
  kAddress,     // the status of `recipient` changed by itself: `notice` says to what
  kWave,        // the outage guard holds the Hard errors of `site` back: `notice` and `reply` say why
  kQueueOrder,  // an operator's, about mail in the queue: `order` says it, the fields of a message are not
                // written
};
constexpr size_t kEventKinds = 22;

// What keeps mail from going. In the order in which it is shown when several bind until the same instant.
enum class Bind : uint8_t {
  kNothing,
  kBlocked,        // the threshold tripped, or an operator blocked the destination
  kProbing,        // the block is over: a few probes go first
  kRamp,           // the probes passed: the flow rises step by step
  kSlowed,         // the receiver asked us to slow down
  kBackOff,        // the path failed lately
  kQuota,          // messages_per_hour
  kRate,           // rate
  kAdaptive,       // the learned rate
  kWarmUp,         // the step of the ladder that a new source stands on
  kConnections,    // max_connections
  kWindow,         // the concurrency that the feedback allows, below max_connections
  kPerConnection,  // max_messages_per_connection
  kTotal,          // max_outbound_connections of the whole relay
  kLease,          // the counters cannot be written to disk; see mx/limits/lease.h
  kRecording,      // what becomes of mail cannot be written to the spool
  kMemory,         // body_memory: no room for the next body
};

// Durations of the stages of one attempt; negative when the stage was not reached.
struct StageDelays {
  Duration queue{-1};        // due until picked up by a connection
  Duration dns{-1};          // routing
  Duration connect{-1};      // TCP, TLS, greeting and EHLO; 0 on a reused connection
  Duration transaction{-1};  // MAIL until the last reply
};

struct DeliveryEvent {
  EventKind kind = EventKind::kAccepted;
  WallTime time;
  MessageId id = 0;
  LoggedHeaderPtr header;  // of the message; null: nothing of it is known
  std::string envid;       // that its sender gave (RFC 3461)
  std::string reverse_path;
  std::string recipient;  // one event per recipient, except kAccepted (first recipient, `recipients` counts)
  uint32_t recipients = 0;  // kAccepted: how many
  uint64_t size_bytes = 0;
  std::string site;                 // the MX host set the domain rolls up to
  std::string mx_host, mx_address;  // "mx.example.net", "192.0.2.1:25"
  std::string source, stream;       // names of our source, and of the message's stream (empty: none)
  std::string tls;                  // "TLSv1.3" or empty
  uint16_t reply_code = 0;          // 0: no reply (network, DNS, local); the reason is in `reply`
  std::string enhanced_status;      // "5.1.1"
  std::string reply;                // reply text or local reason, one line
  std::optional<ErrorType> type;    // of a refusal, as are reason, scope and row
  std::optional<Reason> reason;
  std::optional<Scope> scope;
  uint64_t row = 0;           // key of its text in the table of texts; 0: it has none
  std::string rule, mx_rule;  // what qualified the refusal; the MX rule that held the message back; or empty
  Bind limit = Bind::kNothing;  // kDeferred without an attempt: what held it back
  Stage stage = Stage::kNone;
  uint32_t attempt = 0;
  WallTime next_attempt;   // kDeferred: when it is tried again
  bool uncertain = false;  // the connection broke between the final dot and its reply: may be a duplicate
  StageDelays delays;
  std::string client, listener, auth;  // kAccepted: address of the client, listener, authenticated user
  // kBounced, kComplained: our own signature names the recipient, or our own memory of what was sent without
  // one. Only then may it count against an address.
  bool confirmed = false;
  MatchedBy matched = MatchedBy::kNothing;
  bool forged = false;                           // kUnmatched: its token is not one of ours
  std::string file;                              // kUnmatched: where the mail is kept
  MessageId related = 0;                         // kReportSent: the message that the report is about
  std::shared_ptr<const SiteDecision> decision;  // kDecision
  std::shared_ptr<const DoorEvent> door;         // kRefusedClient
  std::shared_ptr<const QueueOrder> order;       // kQueueOrder
  // kSuppressed, kAddress, kWave; and of a recipient that failed because it was suppressed.
  std::shared_ptr<const AddressNotice> notice;
};

}  // namespace conf
