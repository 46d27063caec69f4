// The one place where the envelope of a transaction is composed: reverse-path, recipients, and the header
// fields that are put on top of the message.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/address.h"
#include "relay/queue/message.h"
#include "relay/smtp/transaction.h"

namespace relay {

// Where what is sent to a recipient comes back to, and the header fields (each with CRLF; may be empty) that
// say the same within the message, where only its header comes back.
struct ReturnPath {
  conf::Mailbox mailbox;
  std::string fields;
  bool operator==(const ReturnPath&) const = default;
};

class ReturnPaths {
 public:
  virtual ~ReturnPaths() = default;
  // The reverse-path for mail of this message to this recipient. Cheap and without effect: it is asked once
  // or twice for each recipient of each attempt.
  virtual ReturnPath return_path(const spool::MessageRecord& record,
                                 const spool::RecipientRecord& recipient) const = 0;
};

class EnvelopeComposer {
 public:
  // `paths` may be null: mail goes out with the reverse-path it came with. Outlives this.
  explicit EnvelopeComposer(const ReturnPaths* paths) : paths_(paths) {}

  // Takes from the front of `waiting` (indices in the record, not empty) at least one and at most `most`
  // recipients, as many as share one reverse-path, and composes their transaction. They are put into `taken`.
  smtp::Transaction compose(const queue::Message& message, size_t most, std::vector<uint32_t>* waiting,
                            std::vector<uint32_t>* taken) const;

 private:
  ReturnPath return_path(const spool::MessageRecord& record, uint32_t index) const;
  const ReturnPaths* paths_;
};

}  // namespace relay
