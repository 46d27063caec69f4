// A message in memory: only while one of its deliveries is being worked on. What rests lives in the spool.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "conf/vocab/bytes.h"
#include "conf/vocab/time.h"
#include "relay/queue/body_room.h"
#include "relay/spool/spool.h"

namespace relay::queue {

struct Message {
  Message(spool::MessageRecord of, conf::Bytes content);
  // All that the delivery to this domain is for, finished or not.
  spool::RecipientSpan of(const conf::Domain& domain) const;

  spool::MessageRecord record;  // what changes in it is the state of recipients
  conf::Bytes body;             // has no value when only the record was needed
  std::string signature;        // DKIM-Signature fields, put on top of the body when it is sent
  bool prepared = false;        // signed, or it is known that it goes without
  conf::Instant signed_at{};    // when its signing began
  uint64_t signed_by = 0;       // the edition of the keys
  uint32_t pins = 0;            // deliveries and operations that use it
  uint64_t cost_bytes = 0;      // what it was counted with
  uint64_t body_octets = 0;     // of that
  BodyRoom::Share room;         // what its body takes

 private:
  std::vector<uint32_t> by_domain_;  // recipients, those of a domain together
};

inline bool all_final(const spool::MessageRecord& record) {
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state == spool::RecipientState::kPending) return false;
  }
  return true;
}

}  // namespace relay::queue
