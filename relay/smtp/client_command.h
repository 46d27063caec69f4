// The commands of a transaction as text, with the parameters that the peer understands
// (RFC 5321 §4.1.1, RFC 1870, 6152, 6531, 3461, 6533).
#pragma once

#include <cstdint>
#include <string>

#include "conf/vocab/envelope.h"
#include "relay/smtp/peer_features.h"
#include "relay/smtp/transaction.h"

namespace relay::smtp {

struct MailParameters {
  uint64_t size_bytes = 0;
  bool eight_bit = false;  // the content has octets above 127, or was declared so
  bool smtputf8 = false;
};

// Both append one line with its CRLF to `*out`.
void append_mail(const Transaction& transaction, const MailParameters& parameters, const PeerFeatures& peer,
                 std::string* out);
void append_rcpt(const conf::Recipient& recipient, const PeerFeatures& peer, std::string* out);

// False when the text of the mailbox would break the command line (control characters; angle brackets or
// spaces outside of quotes): such an address must not be sent.
bool fits_command(const conf::Mailbox& mailbox);

}  // namespace relay::smtp
