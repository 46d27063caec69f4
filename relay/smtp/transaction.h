// Transaction: one mail transaction as the sending side sees it, and what became of each recipient.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bounce/qualifier.h"
#include "bounce/reply.h"
#include "conf/vocab/bytes.h"
#include "conf/vocab/envelope.h"

namespace relay::smtp {

// What is to be sent. The recipients are those of one transaction; their order is the order of the outcomes.
struct Transaction {
  conf::Mailbox reverse_path;
  conf::Ret ret = conf::Ret::kUnset;
  std::string envid;
  conf::BodyType body_type = conf::BodyType::k7Bit;
  bool smtputf8 = false;
  std::vector<conf::Recipient> recipients;
  std::string header_prefix;  // fields put before the message (a signature): CRLF-terminated, may be empty
  conf::Bytes body;           // CRLF line ends only; contains the header
};

struct RecipientOutcome {
  // kDeliveredNoDsn: delivered, but the peer does not offer DSN (RFC 3461 §5.2.2: a "relayed" report may be
  // due).
  enum class Kind : uint8_t { kDelivered, kDeliveredNoDsn, kRefused, kNotTried };
  Kind kind = Kind::kNotTried;
  bounce::Stage stage = bounce::Stage::kMail;
  bounce::Reply
      reply;  // remote's; for a local failure (8BITMIME, SIZE, SMTPUTF8 missing) one made by us, code 5yz
  std::string local_part;         // whom the peer refused
  bool local = false;             // the reply was made by us, not by the peer
  uint64_t octets = 0;            // `local` for the size: how many there are
  bounce::Qualification meaning;  // of a refusal; filled by whoever asks the Qualifier (flow/meaning.h)
  bool next_host = false;         // refused, and tried again at once over another host of the site
  bool broken = false;            // the session came to no answer, and its content had not gone
  bool uncertain = false;         // the connection broke after the final dot and before its reply
};

}  // namespace relay::smtp
