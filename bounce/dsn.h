// The report that we send (RFC 3464 in a multipart/report, RFC 6522; RFC 3461 rules on what to say and to
// whom).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/envelope.h"

namespace bounce {

enum class DsnAction : uint8_t { kFailed, kDelayed, kDelivered, kRelayed };

struct DsnRecipient {
  conf::Recipient recipient;
  DsnAction action = DsnAction::kFailed;
  std::string status;       // "5.1.1"; empty: derived from the action
  uint16_t reply_code = 0;  // 0: no remote reply, diagnostic is ours
  std::string diagnostic;   // reply text or local reason
  std::string remote_mta;   // host that gave it; may be empty
  conf::WallTime last_attempt;
  conf::WallTime retry_until;  // kDelayed: when it is given up; the epoch: not said
};

struct DsnInput {
  conf::MessageId original_id = 0;
  conf::Mailbox to;  // the reverse-path of the original; must not be null
  std::string envid;
  conf::Ret ret = conf::Ret::kUnset;
  conf::WallTime arrival;
  conf::WallTime now;
  std::string reporting_mta;     // our host name
  std::string from;              // "postmaster@relay.example.com"
  std::string message_id_token;  // unique: makes Message-ID and boundary
  std::vector<DsnRecipient> recipients;
  std::string_view
      original;           // the original message; headers only are returned unless RET=FULL (bounded to 1 MB)
  bool smtputf8 = false;  // RFC 6533: utf-8 addresses in message/global-delivery-status
};

// The whole message, CRLF line ends. Never contains a bare CR or LF, lines <= 998.
std::string make_dsn(const DsnInput& input);

}  // namespace bounce
