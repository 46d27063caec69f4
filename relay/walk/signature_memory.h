// Signatures of messages that wait for another attempt, so that a retry sends the one that was made before.
// It holds what it is given for a time and up to a size; the oldest goes first. A signature that is not here,
// or that other keys made, is made anew. One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"

namespace relay {

class SignatureMemory {
 public:
  explicit SignatureMemory(size_t most_bytes) : most_bytes_(most_bytes) {}

  struct Kept {
    std::string fields;
    conf::Instant signed_at;
    conf::Instant until;   // it may be sent before
    uint64_t edition = 0;  // of the keys that made it
  };
  // What is known of the message by the same keys stays as it is while it may be sent.
  void keep(conf::MessageId id, Kept kept, conf::Instant now);
  // Null: none of these keys that may be sent now. Valid until the next keep().
  const Kept* find(conf::MessageId id, uint64_t edition, conf::Instant now) const;
  void set_most(size_t bytes);
  size_t bytes() const { return bytes_; }

 private:
  static size_t cost(const Kept& kept) { return sizeof(Kept) + 64 + kept.fields.size(); }
  void drop_oldest();

  size_t most_bytes_;
  size_t bytes_ = 0;
  std::unordered_map<conf::MessageId, Kept> known_;
  std::deque<conf::MessageId> order_;  // as they came
};

}  // namespace relay
