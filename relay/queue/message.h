// A message in memory: only while one of its deliveries is being worked on. What rests lives in the spool.
#pragma once

#include <cstdint>
#include <string>

#include "conf/vocab/bytes.h"
#include "relay/spool/spool.h"

namespace relay::queue {

struct Message {
  spool::MessageRecord record;
  conf::Bytes body;         // has no value when only the record was needed
  std::string signature;    // DKIM-Signature fields, put on top of the body when it is sent
  bool prepared = false;    // signed, or it is known that it goes without
  uint32_t pins = 0;        // deliveries and operations that use it
  bool changed = false;     // the record in the spool is older
  uint64_t cost_bytes = 0;  // what it was counted with
};

inline bool all_final(const spool::MessageRecord& record) {
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state == spool::RecipientState::kPending) return false;
  }
  return true;
}

}  // namespace relay::queue
