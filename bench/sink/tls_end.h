// The TLS of one session of the receiver, or the fault that is played instead of it. Pure: bytes in, bytes
// out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bench/personality/scenario.h"
#include "relay/tls/session.h"

namespace bench {

class TlsEnd {
 public:
  TlsEnd(std::shared_ptr<relay::tls::Context> context, Handshake how);

  // Bytes of the sender: plain ones are appended to `*plain`, what is to be sent to `*wire`. False: the
  // connection ends when `*wire` is written.
  bool receive(std::string_view cipher, std::string* plain, std::string* wire);
  // Appends `plain`, encrypted, to `*wire`. Only when established.
  void send(std::string_view plain, std::string* wire);
  bool established() const { return session_->established(); }

 private:
  void drain(std::string* wire);

  std::unique_ptr<relay::tls::Session> session_;
  Handshake how_;
};

}  // namespace bench
