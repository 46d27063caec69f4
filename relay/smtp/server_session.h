// The receiving side of an SMTP session (RFC 5321), pure: bytes, time and answers in; bytes, events and one
// deadline out. Not thread-safe; no sockets, clock or threads inside. The owner loops: receive() ->
// next_event() until none -> write output() -> re-arm deadline().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "conf/vocab/door_event.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/secret.h"
#include "conf/vocab/time.h"
#include "relay/net/out_queue.h"
#include "relay/net/transport.h"
#include "relay/spool/receipt.h"

namespace relay::smtp {

struct ServerEvent {
  enum class Kind : uint8_t {
    kNone,
    kStartTls,      // write output(), then start TLS, then call tls_established() or close
    kAuthenticate,  // check user and secret off the loop, then call auth_result()
    kBeginMessage,  // 354 is about to be sent (or the first BDAT came): a body follows for `envelope`
    kBody,          // `bytes` of the message, dots unstuffed, CRLF line ends; valid until the next call
    kMessage,       // the body is complete: spool it, then message_stored() or message_refused()
    kWithdraw,      // the message that waits for its answer was answered 421: it must not be delivered
    kAbortMessage,  // the body that began will not be completed (RSET, too big, bad newline, closed)
    kClose,         // write output(), then close
  };
  Kind kind = Kind::kNone;
  std::string_view bytes;                    // kBody
  const conf::Envelope* envelope = nullptr;  // kBeginMessage, kMessage: valid until the session is answered
  std::string user;                          // kAuthenticate
  conf::Secret secret;                       // kAuthenticate
};

// How a login ended. kBusy and kLimited: the secret was not looked at (454 4.7.0), for too many wait, or too
// many were wrong.
enum class AuthOutcome : uint8_t { kGood, kWrong, kBusy, kLimited };

// What the owner knows about its own state when a message is offered.
class Gate {
 public:
  virtual ~Gate() = default;
  // False: MAIL gets 452 4.3.1 with `*why` (disk low, memory high, queue full).
  virtual bool accepting(std::string* why) const = 0;
  // The reply when this user, who logged in, may hand in no message now; empty: he may.
  virtual std::string over_quota(const std::string&) { return {}; }
  // The recipients of the transaction would take this much memory; false: the one that comes now gets
  // 452 4.3.1.
  virtual bool may_hold(uint64_t) { return true; }
  // The reply when nothing may be sent to this recipient; empty: it may. `envelope` is that of the
  // transaction so far.
  virtual std::string refuses(const conf::Envelope&, const conf::Recipient&) { return {}; }
  // The Message-ID, without angle brackets, for a message of this number that came without one; empty: the
  // number and the name of this host.
  virtual std::string message_id(conf::MessageId, const conf::Mailbox& /*reverse_path*/) { return {}; }
};

// Something that the operator wants to hear of: the client was refused.
struct Trouble {
  conf::DoorReason reason = conf::DoorReason::kTooManyErrors;
  std::string detail;
};

struct ServerOptions {
  conf::ConfigPtr config;
  const conf::Listener* listener = nullptr;  // within *config
  bool tls_available = false;                // a certificate is loaded
  bool tls_active = false;                   // implicit TLS: already established
  TlsInfo tls;
  std::string client_address;  // IP, no port
  Gate* gate = nullptr;        // may be null: always accepting
};

class ServerSession {
 public:
  ServerSession(ServerOptions options, conf::Instant now);
  ~ServerSession();

  // Borrows `bytes` until next_event() gives anything but kBeginMessage, kBody or kAbortMessage, or returns
  // false: body slices point into them. What cannot be handled yet is then copied and kept.
  void receive(std::string_view bytes, conf::Instant now);
  bool next_event(ServerEvent* event, conf::Instant now);  // false: nothing more until new input or an answer
  // How much next_event() may do until this is called again, in units of a cheap command; so one client that
  // pipelines cannot keep the loop from the others, nor fill the output. Without a call there is no bound.
  void begin_turn(uint32_t work) { work_left_ = work; }
  uint32_t work_left() const { return work_left_; }
  bool next_trouble(Trouble* trouble);
  bool has_more() const;  // the bound was met: input is left that the next turn can work on
  OutQueue* output();
  // False while the session waits for an answer, or holds so much input that the owner must stop reading.
  bool wants_input() const;
  conf::Instant deadline() const;       // kNever only when closed
  void on_deadline(conf::Instant now);  // 421 4.4.2, then kClose
  void on_peer_closed();                // kAbortMessage follows when a body was under way

  // State as after connect (RFC 3207 §4.2), no new greeting.
  void tls_established(const TlsInfo& tls, conf::Instant now);
  void auth_result(AuthOutcome outcome, conf::Instant now);
  // The only way to "250" after the data: a receipt that only a spool can make.
  void message_stored(const spool::Receipt& receipt, conf::Instant now);
  // A 4yz or 5yz reply of the owner's ("452 4.3.1 ...", "554 5.4.6 too many hops").
  void message_refused(std::string_view reply, conf::Instant now);
  void shut_down(conf::Instant now);  // 421 4.3.2 as soon as no transaction is being answered, then kClose

  // The Received field (RFC 5321 §4.4, RFC 3848) for the message being offered, ending in CRLF.
  std::string trace_field(conf::MessageId id, conf::WallTime now) const;
  // Header text that goes between the trace field and the body, CRLF-terminated, may be empty: Date,
  // Message-ID and From when the listener adds missing ones (RFC 6409 §8); and an empty line when the message
  // came without any header. Right once header_is_over(), or from kMessage, until the answer.
  std::string missing_headers(conf::MessageId id, conf::WallTime now) const;
  bool header_is_over() const;  // of the body that comes in: what it lacks is known
  bool in_transaction() const;
  bool may_relay() const;
  // What it keeps of the client's input and of its recipients, in octets.
  uint64_t held_octets() const;
  uint64_t envelope_octets() const;
  void leave(std::string_view reply, conf::Instant now);  // "421 4.3.1 ...", then kClose

 private:
  struct State;
  std::unique_ptr<State> state_;
  uint32_t work_left_ = UINT32_MAX;
};

}  // namespace relay::smtp
