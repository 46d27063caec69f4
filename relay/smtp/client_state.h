// ClientState: where the sending side of a session stands, named by the reply it waits for, and which steps
// are allowed.
#pragma once

#include <cstdint>

#include "bounce/qualifier.h"

namespace relay::smtp {

enum class ClientState : uint8_t {
  kGreeting,
  kEhlo,
  kHelo,       // EHLO was refused
  kStartTls,   // STARTTLS is sent
  kHandshake,  // the owner runs TLS; bytes that still come in clear are dropped
  kSecret,     // the owner looks for the secret to log in with
  kAuth,       // AUTH is sent
  kReady,      // no reply is due
  kReset,
  kMail,
  kRcpt,
  kData,  // 354 is due
  kDot,   // the end of data is sent, or will be by the time its reply comes (BDAT LAST)
  kQuit,
  kClosed,
};

bool may_follow(ClientState from, ClientState to);
bounce::Stage stage_of(ClientState state);
// What is due, for messages: "the greeting", "the reply to MAIL".
const char* awaited(ClientState state);

}  // namespace relay::smtp
