// What the walk of a message asks of the quarantine, and what it tells it. Loop thread.
// bounce/ledger/ledger_keeper is the one of the daemon; where there is none, every address is unknown and
// nothing is kept.
#pragma once

#include <cstdint>
#include <string_view>

#include "bounce/qualifier.h"
#include "bounce/quarantine.h"
#include "conf/vocab/address.h"
#include "conf/vocab/time.h"

namespace bounce {

// What became of one recipient in one attempt. Borrowed for the call.
struct AddressOutcome {
  uint64_t message = 0;  // with the recipient and the attempt it names the event for good
  uint32_t attempt = 0;
  const conf::Mailbox* recipient = nullptr;
  std::string_view sender_domain;  // of the reverse-path; may be empty
  std::string_view user;           // who logged in; may be empty
  std::string_view site, mx_host, source;
  std::string_view text;  // "550 5.1.1 no such user"
  conf::WallTime now;
  bool late = false;  // a report about mail that the receiver had taken
};

// Recipients in reports: the columns of a line.
enum class Outcome : uint8_t { kDelivered, kDeferred, kFailed, kExpired, kQuarantined, kComplaint, kDropped };
const char* to_text(Outcome outcome);

class QuarantineBook {
 public:
  virtual ~QuarantineBook() = default;
  // Of the lists that hold for the sender: his own say first, then everybody's. O(1).
  virtual AddressStanding standing(const conf::Mailbox& recipient, std::string_view sender_domain,
                                   std::string_view user) const = 0;
  virtual void delivered(const AddressOutcome& outcome) = 0;
  // A refusal. True: the outage guard holds it back: treat it as Soft, whatever it says.
  virtual bool refused(const AddressOutcome& outcome, const Qualification& meaning) = 0;
  // A Hard error that was told before a restart, perhaps: it is applied if it was not. No guard looks at it.
  virtual void retold(const AddressOutcome& outcome, const Qualification& meaning) = 0;
  virtual void complained(const AddressOutcome& outcome, Reason reason) = 0;
  // For reports: what it came to. `meaning` may be null.
  virtual void count(Outcome what, const AddressOutcome& outcome, const Qualification* meaning) = 0;
};

}  // namespace bounce
