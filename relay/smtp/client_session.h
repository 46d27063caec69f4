// The sending side of an SMTP session (RFC 5321, 2920, 3030, 3207, 3461, 6152, 6531, 1870), pure: bytes, time
// and orders in; bytes, events and one deadline out. One session carries many transactions, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bounce/qualifier.h"
#include "bounce/reply.h"
#include "conf/config.h"
#include "conf/vocab/time.h"
#include "relay/net/out_queue.h"
#include "relay/net/transport.h"
#include "relay/smtp/lessons.h"
#include "relay/smtp/peer_features.h"
#include "relay/smtp/transaction.h"

namespace relay::smtp {

struct ClientLogin {
  std::string user;
  conf::LoginMechanism mechanism = conf::LoginMechanism::kAny;
  bool without_tls = false;  // the secret may be told in clear
};

struct ClientOptions {
  std::string ehlo_name;
  conf::TlsMode tls = conf::TlsMode::kOpportunistic;
  bool pipelining = true;
  bool chunking = true;
  ExtensionSet left_out;             // not used even if offered: this peer refused them before
  AuthSet refused_auth;              // mechanisms that it refused before; one of them only where no other is
  bool eight_bit_anyway = false;     // content as it is for a server without 8BITMIME
  bool tls_fallback = false;         // in clear where TLS fails
  std::optional<ClientLogin> login;  // before the first transaction
  std::optional<TlsInfo> tls_info;   // TLS stands before the greeting (implicit TLS)
  size_t reply_text_octets = conf::RepliesSettings().max_text_octets;  // of a reply, but for EHLO's
  conf::Timeouts timeouts;
};

struct ClientEvent {
  enum class Kind : uint8_t {
    kNone,
    kStartTls,         // write output(), start TLS, then tls_established() / tls_failed()
    kSecretWanted,     // log_in() or secret_missing(), now or later
    kReady,            // greeting, EHLO (and TLS) done, or the last transaction is over: begin() or quit()
    kTransactionDone,  // `outcomes`, one per recipient; kReady or kClosed follows
    kClosed,  // over: `stage`, `reply` or `error` say why; outcomes of a running transaction came before
  };
  Kind kind = Kind::kNone;
  std::vector<RecipientOutcome> outcomes;
  bounce::Stage stage = bounce::Stage::kConnect;
  // Code 0: no reply; then `error` tells (time-out, closed, garbage). With kReady: STARTTLS was refused so,
  // and the session goes on in clear.
  bounce::Reply reply;
  std::string error;
  bool tls_wanted_but_missing = false;  // required, and the peer does not offer STARTTLS
  bool tls_failed = false;              // before any MAIL was taken, and another try in clear is allowed
  // The connection was used up, or out of step: says nothing of the site, and another one is the way out.
  bool blameless = false;
  bool content_unsent = false;  // part of a message is still in the transport: nothing may follow it
};

class ClientSession {
 public:
  // `now` is the moment the connection stands: the greeting's deadline starts.
  ClientSession(ClientOptions options, conf::Instant now);
  ~ClientSession();

  void receive(std::string_view bytes, conf::Instant now);
  bool next_event(ClientEvent* event, conf::Instant now);
  OutQueue* output();
  // kNever when ready and idle (the owner decides how long to keep it) or closed.
  conf::Instant deadline() const;
  void on_deadline(conf::Instant now);
  // Progress of writing: re-arms the body's deadline (RFC 5321 §4.5.3.2.5).
  void on_written(conf::Instant now);
  // The connection is gone: running transaction gets its outcomes (uncertain when after the dot), then
  // kClosed.
  void on_peer_closed(std::string_view why, conf::Instant now);

  void tls_established(const TlsInfo& tls, conf::Instant now);  // EHLO again (RFC 3207 §4.2)
  void tls_failed(std::string_view why, conf::Instant now);     // kClosed at stage kTls

  void log_in(std::string secret, conf::Instant now);  // wipes it
  void secret_missing(std::string_view why);           // kClosed at stage kLogin

  bool ready() const;           // a transaction may begin
  bounce::Stage stage() const;  // of the reply that is due
  void begin(Transaction transaction, conf::Instant now);
  void quit(conf::Instant now);  // output has QUIT; kClosed follows its reply or the short time-out

  const PeerFeatures& peer() const;
  const TlsInfo* tls() const;      // null: clear
  uint32_t transactions() const;   // begun on this session
  const Lessons& lessons() const;  // learnt so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relay::smtp
