// Records of a queue for the tests of this folder.
#pragma once

#include <string>
#include <vector>

#include "relay/spool/spool.h"

namespace relay::admin {

inline conf::Mailbox mailbox(const std::string& text) {
  const size_t at = text.rfind('@');
  if (at == std::string::npos) return {};
  return {text.substr(0, at), conf::Domain::from_canonical(text.substr(at + 1))};
}

inline spool::RecipientRecord recipient(const std::string& address, const std::string& status = "",
                                        const std::string& reply = "") {
  spool::RecipientRecord r;
  r.recipient.mailbox = mailbox(address);
  r.enhanced_status = status;
  r.last_reply = reply;
  r.due = conf::from_unix_micros(2'000'000'000'000'000);
  return r;
}

inline spool::MessageRecord message(conf::MessageId id, const std::string& sender,
                                    std::vector<spool::RecipientRecord> recipients,
                                    conf::WallTime accepted = conf::from_unix_micros(1'000'000'000)) {
  spool::MessageRecord m;
  m.id = id;
  m.accepted_at = accepted;
  m.envelope.reverse_path = mailbox(sender);
  m.recipients = std::move(recipients);
  m.size_bytes = 1234;
  return m;
}

}  // namespace relay::admin
