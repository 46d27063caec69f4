// One accepted connection: a Transport with a ServerSession on it. Gathers the message and gives it to the
// Reception. Loop thread.
#pragma once

#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/door_event.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/secret.h"
#include "conf/vocab/time.h"
#include "relay/intake/memory_shares.h"
#include "relay/net/transport.h"
#include "relay/smtp/server_session.h"
#include "relay/spool/spool.h"

namespace relay {

class InboundConnection final : public TransportUser, private smtp::Gate, private MemoryShares::Account {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual conf::MessageId next_id() = 0;
    virtual MemoryShares* memory() = 0;
    // How much a session may do in this turn (ServerSession::begin_turn), and how much of it was done.
    virtual uint32_t may_work() = 0;
    virtual void worked(uint32_t work) = 0;
    // Both answer by message_done() and auth_done(), later; the connection may be gone by then, hence the
    // number. authenticate() may answer at once.
    virtual void offer(uint64_t connection, spool::MessageRecord record, conf::Bytes body) = 0;
    // The client of a message that was offered heard 4yz before the answer came.
    virtual void withdraw(conf::MessageId id) = 0;
    // As offer(), for mail that came back.
    virtual void offer_returned(uint64_t connection, spool::MessageRecord record, conf::Bytes body) = 0;
    virtual void authenticate(uint64_t connection, std::string user, conf::Secret secret) = 0;
    virtual void refused(conf::DoorEvent event) = 0;
    // The last call; the connection may be destroyed, but not inside this call.
    virtual void connection_closed(uint64_t connection) = 0;
  };

  // `options.gate` is asked whether mail is accepted at all.
  InboundConnection(uint64_t number, smtp::ServerOptions options, std::unique_ptr<Transport> transport,
                    const conf::Clock* clock, Owner* owner);
  ~InboundConnection() override;

  void start();
  void message_done(conf::Result<spool::Receipt> result);
  void auth_done(smtp::AuthOutcome outcome);
  void shut_down();  // as soon as no transaction is being answered
  const std::string& client_address() const { return client_address_; }
  const std::string& client_key() const { return client; }
  const std::string& listener_name() const { return listener_name_; }

  void on_connected() override {}
  void on_bytes(std::string_view bytes) override;
  void on_tls(conf::Result<TlsInfo> outcome) override;
  void on_drained() override;
  void on_closed(const conf::Error& why) override;
  void on_deadline() override;

 private:
  bool accepting(std::string* why) const override;
  bool may_hold(uint64_t octets) override;
  std::string over_quota(const std::string& user) override;
  std::string refuses(const conf::Envelope& envelope, const conf::Recipient& recipient) override;
  std::string message_id(conf::MessageId id, const conf::Mailbox& reverse_path) override;
  void give_way() noexcept override;
  bool can_give_way() const override;

  void pump(conf::Instant now);
  void handle(smtp::ServerEvent* event);
  void settle_up();  // with the memory of what waits here
  bool hold(uint64_t* reserved, uint64_t octets);
  void begin_message();
  void take_body(std::string_view bytes);
  void complete_header();
  bool make_room(uint64_t needed);
  void make_room_for_all(uint64_t target);
  void offer(const conf::Envelope& envelope);
  void drop_body();
  void note(conf::DoorReason reason, std::string detail = "");
  void close();

  uint64_t number_;
  conf::ConfigPtr config_;
  std::string client_address_;
  std::string listener_name_;
  std::unique_ptr<Transport> transport_;
  const conf::Clock* clock_;
  Owner* owner_;
  smtp::Gate* gate_;
  bool implicit_tls_;
  smtp::ServerOptions options_;  // for the session that begins after an implicit handshake
  std::unique_ptr<smtp::ServerSession> session_;
  conf::MessageId id_ = 0;
  std::string body_;         // trace field and message
  size_t trace_length_ = 0;  // of the trace field at its beginning
  bool header_complete_ = false;
  uint64_t body_reserved_ = 0;  // these three: within our account
  uint64_t envelope_reserved_ = 0;
  uint64_t waiting_reserved_ = 0;
  bool no_memory_ = false;  // the body under way is being thrown away
  bool unread_ = false;     // too many replies are: commands wait
  bool paused_ = false;
  bool pumping_ = false;
  bool closed_ = false;
  conf::Instant deadline_ = conf::kNever;
};

}  // namespace relay
