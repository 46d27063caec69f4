// Proof that a message is on disk. Only a spool can make one; ServerSession::message_stored wants one. So
// "spool before reply" stands in the types.
#pragma once

#include "conf/vocab/envelope.h"

namespace relay::spool {

class Receipt {
 public:
  conf::MessageId id() const { return id_; }

 private:
  friend class ReceiptPrinter;
  explicit Receipt(conf::MessageId id) : id_(id) {}
  conf::MessageId id_;
};

// Base of the spools: the only one that can print receipts.
class ReceiptPrinter {
 protected:
  ~ReceiptPrinter() = default;
  static Receipt print_receipt(conf::MessageId id) { return Receipt(id); }
};

}  // namespace relay::spool
