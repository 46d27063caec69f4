// What is told of an address and not of a message: it was not written to, its status changed, or a site
// refuses so many that nobody is blamed. Part of the delivery log's events.
#pragma once

#include <cstdint>
#include <string>

namespace conf {

enum class AddressStatus : uint8_t {
  kUnknown,     // never an error, or forgotten
  kValid,       // delivered, or the errors are old enough; such a row is removed
  kWithErrors,  // errors were counted, mail still goes
  kQuarantine,  // no mail
  kDenylisted,  // no mail: a complaint, or an operator
  kAllowlisted  // mail always goes, its errors are reason 25
};
// "with-errors", as the command line and the delivery log have them.
const char* to_text(AddressStatus status);

// What became of a recipient that may not be written to.
enum class Suppression : uint8_t {
  kNone,
  kRefused,   // at RCPT
  kReported,  // it ended as failed, and the sender is told
  kLogged,    // it ended as failed, and only the log says so
};
const char* to_text(Suppression suppression);  // "refused", "reported", "logged"; "" for kNone

struct AddressNotice {
  AddressStatus status = AddressStatus::kUnknown;
  Suppression suppression = Suppression::kNone;
  std::string list;       // whose list; empty: everybody's
  uint64_t wave = 0;      // of the outage guard
  uint64_t refusals = 0;  // of the wave, so far
};

}  // namespace conf
