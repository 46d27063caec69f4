// The header text that this relay puts on top of a message.
#pragma once

#include <string>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"
#include "relay/net/transport.h"
#include "relay/smtp/header_scan.h"

namespace relay::smtp {

struct TraceFacts {
  const conf::Envelope* envelope = nullptr;
  std::string hostname;
  bool esmtp = false;
  const TlsInfo* tls = nullptr;  // null: clear
};
// "Received: ..." ending in CRLF (RFC 5321 §4.4). "for" only when there is one recipient: it must not
// disclose others.
std::string received_field(const TraceFacts& facts, conf::MessageId id, conf::WallTime now);

// What ServerSession::missing_headers gives. `message_id`: without angle brackets, for a message without one.
std::string missing_fields(const HeaderScan& header, bool add, const conf::Mailbox& reverse_path,
                           const std::string& hostname, const std::string& message_id, conf::WallTime now);

}  // namespace relay::smtp
