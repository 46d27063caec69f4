// One accepted connection: a Transport with a ServerSession on it. Gathers the message and gives it to the
// Reception. Loop thread.
#pragma once

#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"
#include "relay/net/transport.h"
#include "relay/smtp/server_session.h"
#include "relay/spool/spool.h"

namespace relay {

class InboundConnection final : public TransportUser {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual conf::MessageId next_id() = 0;
    // False: the message does not fit into memory now; the client is told to come back (452).
    virtual bool reserve_memory(uint64_t bytes) = 0;
    virtual void return_memory(uint64_t bytes) = 0;
    // Both answer by message_done() and auth_done(), later; the connection may be gone by then, hence the
    // number.
    virtual void offer(uint64_t connection, spool::MessageRecord record, conf::Bytes body) = 0;
    virtual void authenticate(uint64_t connection, std::string user, std::string secret) = 0;
    // The last call; the connection may be destroyed, but not inside this call.
    virtual void connection_closed(uint64_t connection) = 0;
  };

  InboundConnection(uint64_t number, smtp::ServerOptions options, std::unique_ptr<Transport> transport,
                    const conf::Clock* clock, Owner* owner);
  ~InboundConnection() override;

  void start();
  void message_done(conf::Result<spool::Receipt> result);
  void auth_done(bool good);
  void shut_down();  // as soon as no transaction is being answered
  const std::string& client_address() const { return client_address_; }
  const std::string& listener_name() const { return listener_name_; }

  void on_connected() override {}
  void on_bytes(std::string_view bytes) override;
  void on_tls(conf::Result<TlsInfo> outcome) override;
  void on_drained() override { pump(); }
  void on_closed(const conf::Error& why) override;
  void on_deadline() override;

 private:
  void pump();
  void handle(const smtp::ServerEvent& event);
  void begin_message();
  void take_body(std::string_view bytes);
  void offer(const conf::Envelope& envelope);
  void drop_body();
  void close();

  uint64_t number_;
  conf::ConfigPtr config_;
  std::string client_address_;
  std::string listener_name_;
  std::unique_ptr<Transport> transport_;
  const conf::Clock* clock_;
  Owner* owner_;
  bool implicit_tls_;
  smtp::ServerOptions options_;  // for the session that begins after an implicit handshake
  std::unique_ptr<smtp::ServerSession> session_;
  conf::MessageId id_ = 0;
  std::string body_;         // trace field and message
  size_t trace_length_ = 0;  // of the trace field at its beginning
  uint64_t reserved_ = 0;
  bool no_memory_ = false;  // the body under way is being thrown away
  bool paused_ = false;
  bool pumping_ = false;
  bool closed_ = false;
  conf::Instant deadline_ = conf::kNever;
};

}  // namespace relay
