// A message in memory: only while one of its deliveries is being worked on. What rests lives in the spool.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/vocab/bytes.h"
#include "conf/vocab/time.h"
#include "relay/queue/body_room.h"
#include "relay/spool/spool.h"

namespace relay::queue {

// A body and its part of the account of bodies: they come and go together.
class HeldBody {
 public:
  HeldBody() = default;
  HeldBody(conf::Bytes bytes, BodyRoom::Lease lease) : bytes_(std::move(bytes)), lease_(std::move(lease)) {}

  const conf::Bytes& bytes() const { return bytes_; }
  std::string_view view() const { return bytes_.view(); }
  bool has_value() const { return bytes_.has_value(); }
  // It may stay while its deliveries wait. What was read back is for those that go now.
  bool kept() const { return lease_.kept(); }
  void reset() { *this = {}; }

 private:
  conf::Bytes bytes_;  // has no value when only the record was needed
  BodyRoom::Lease lease_;
};

struct Message {
  Message(spool::MessageRecord of, HeldBody content);
  // All that the delivery to this domain is for, finished or not.
  spool::RecipientSpan of(const conf::Domain& domain) const;

  spool::MessageRecord record;  // what changes in it is the state of recipients
  HeldBody body;
  std::string signature;      // DKIM-Signature fields, put on top of the body when it is sent
  bool prepared = false;      // signed, or it is known that it goes without
  conf::Instant signed_at{};  // when its signing began
  uint64_t signed_by = 0;     // the edition of the keys
  uint32_t pins = 0;          // deliveries and operations that use it

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
