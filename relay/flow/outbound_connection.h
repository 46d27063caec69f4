// One outbound connection: a Transport with a ClientSession on it. It tries the targets it was given in order
// until one greets it (a failed handshake is tried again in clear where that is allowed), then takes
// transactions from its owner. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/time.h"
#include "relay/flow/path.h"
#include "relay/net/secrets.h"
#include "relay/net/transport.h"
#include "relay/smtp/client_session.h"

namespace relay {

struct Target {
  std::string host;     // MX host name
  std::string address;  // IP
  uint16_t port = 25;
  uint16_t rank = 0;              // 0: of the domain's best hosts (RFC 5321 §5.1)
  smtp::ExtensionSet left_out{};  // what this server refused before
  smtp::AuthSet refused_auth{};   // likewise
  bool implicit_tls = false;      // before the greeting
  bool log_in = false;            // the login of the plan is for it
  bool wants_tls = false;         // it refused mail in clear
};

// "192.0.2.1:25", "[2001:db8::1]:25"
std::string address_text(const Target& target);

class OutboundConnection final : public TransportUser {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // A transaction may begin: answer with send(), rest() or quit() now or later.
    virtual void connection_ready(OutboundConnection* connection) = 0;
    virtual void transaction_done(OutboundConnection* connection,
                                  std::vector<smtp::RecipientOutcome> outcomes) = 0;
    // False: too much was heard in this turn already; hear() follows in another one.
    virtual bool may_hear(OutboundConnection* connection, size_t octets) = 0;
    // A target is about to be connected to, perhaps once more in clear, and nothing to another one or to it
    // stands any more. False: its limits do not allow it now, the next one is tried.
    virtual bool target_began(OutboundConnection* connection, const Target& target) = 0;
    // A target failed before it was ready, as error() says; the next is tried, or connection_ended follows.
    virtual void target_failed(OutboundConnection* connection, const Target& target) = 0;
    // Its TLS failed, as `why` says, and policy allows to go on in clear, now or by the next one.
    virtual void tls_failed(OutboundConnection* connection, const Target& target, const std::string& why) = 0;
    // It logged in, or could not, as error() says.
    virtual void login_done(OutboundConnection* connection, const Target& target, bool good) = 0;
    // The last call; the connection may be destroyed, but not inside this call. error() says why.
    virtual void connection_ended(OutboundConnection* connection) = 0;
  };

  struct Plan {
    std::vector<Target> targets;  // not empty
    std::string source_address;
    smtp::ClientOptions options;
    bool tls_verify = false;
    bool tls_fallback_to_clear = true;
    bool only_tls_13 = false;
    conf::Login login;  // without a name: none
  };

  // `secrets` may be null when the plan has no login.
  OutboundConnection(Plan plan, queue::Path* path, Network* network, Secrets* secrets,
                     const conf::Clock* clock, Owner* owner);
  ~OutboundConnection() override;

  void start();
  void send(smtp::Transaction transaction);
  void rest(conf::Duration at_most);  // idle: QUIT follows when no transaction came in time
  void stay();                        // a transaction is about to come: no more rest
  void quit();
  void hear();  // what it was not allowed to hear before

  queue::Path* path() const { return path_; }
  bool ever_ready() const { return ever_ready_; }
  bool connected() const { return connected_; }  // to its target, whatever was said since
  bool quitting() const { return quitting_; }    // its end is no failure
  bounce::Stage stage() const;  // of the reply that is due; kConnect while there is no session
  bool idle() const { return session_ != nullptr && session_->ready(); }
  bool sends() const { return transport_ != nullptr && transport_->unsent_bytes() > 0; }  // so none is silent
  conf::Instant started() const { return started_; }
  conf::Instant target_started() const { return target_started_; }  // began to connect to it
  // When no octet of its target came or went any more; of one that has just answered: until it did.
  conf::Instant silent_since() const { return last_octet_ == clock_->now() ? silent_until_it_ : last_octet_; }
  conf::Instant ready_since() const { return ready_at_; }
  conf::Duration connect_time() const { return ready_at_ - target_started_; }
  uint32_t transactions() const { return session_ == nullptr ? 0 : session_->transactions(); }
  const std::string& login() const { return plan_.login.name; }
  const Target& target() const { return plan_.targets[target_]; }
  bool takes_eight_bit() const { return session_ != nullptr && session_->peer().eight_bit_clean; }
  bool takes_utf8() const { return session_ != nullptr && session_->peer().smtputf8; }
  uint64_t most_octets() const { return session_ == nullptr ? 0 : session_->peer().max_size; }  // 0: any
  std::string tls_version() const;
  const queue::PathError& error() const { return error_; }
  bool blameless() const { return blameless_; }  // its end says nothing of the site
  smtp::Lessons lessons() const { return session_ == nullptr ? smtp::Lessons() : session_->lessons(); }

  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_tls(conf::Result<TlsInfo> outcome) override;
  void on_drained() override;
  void on_closed(const conf::Error& why) override;
  void on_deadline() override;

 private:
  bool next_target();  // opens the first target from target_ on that may be tried
  void open_target();
  void begin_session();
  void start_tls();
  void write_output(conf::Instant now);
  void fetch_secret();
  void pump(conf::Instant now);
  void handle(smtp::ClientEvent& event);
  void session_closed(const smtp::ClientEvent& event);
  std::shared_ptr<const void> when_gone();
  void stream_gone();
  void give_up_target(bounce::Stage stage, bounce::Reply reply);
  void set_deadline(conf::Instant when);

  Plan plan_;
  queue::Path* path_;
  Network* network_;
  Secrets* secrets_;
  std::shared_ptr<int> fetches_ = std::make_shared<int>(0);  // the latest question for the secret
  std::optional<TlsInfo> implicit_tls_;                      // stands before the greeting
  const conf::Clock* clock_;
  Owner* owner_;
  size_t target_ = 0;
  bool secret_missing_ = false;                // our own trouble: no host can be told it
  bool connected_ = false, in_clear_ = false;  // to this target; its TLS failed: without it now
  std::string tls_trouble_;                    // ... for this reason, not told yet
  bool ever_ready_ = false, quitting_ = false, blameless_ = false, pumping_ = false, ended_ = false;
  std::string unheard_;  // octets, and the end of their stream
  std::optional<conf::Error> unheard_end_;
  conf::Instant started_, target_started_, ready_at_, last_octet_, silent_until_it_;  // see silent_since()
  conf::Instant rest_until_ = conf::kNever, deadline_ = conf::kNever;
  queue::PathError error_;
  smtp::ClientEvent end_;  // of the session, while its stream is being closed
  std::unique_ptr<smtp::ClientSession> session_, old_session_;  // the old one while its events are handled
  std::unique_ptr<Transport> transport_;
};

}  // namespace relay
