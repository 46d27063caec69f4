// One TLS stream over memory BIOs: bytes in, bytes out, no sockets. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"
#include "relay/net/transport.h"
#include "relay/tls/context.h"

namespace relay::tls {

class Session {
 public:
  static std::unique_ptr<Session> accept(std::shared_ptr<Context> context);
  static std::unique_ptr<Session> connect(std::shared_ptr<Context> context,
                                          const Transport::TlsRequest& request);
  ~Session();

  // Bytes from the peer; decrypted ones are appended to `*plain`. An error ends the session; its detail is
  // for people
  // ("certificate verify failed: self-signed certificate", "peer closed during the handshake").
  conf::Status receive(std::string_view cipher, std::string* plain);
  conf::Status send(std::string_view plain);  // only when established
  void close();                               // close_notify
  std::string_view pending() const;           // bytes for the peer
  void consume(size_t count);

  bool established() const;
  bool peer_closed() const;  // close_notify seen
  TlsInfo info() const;      // when established

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace relay::tls
