// The life of a recipient address: what an outcome, a complaint or an operator makes of it. A pure state
// machine; the rows are kept by bounce/ledger. Calendar time, for a row lives over restarts. Only errors of
// scope recipient may come here: a refusal about us, our pace or our message says nothing of an address.
#pragma once

#include <cstdint>
#include <string>

#include "bounce/qualifier.h"
#include "conf/quarantine_settings.h"
#include "conf/vocab/address.h"
#include "conf/vocab/address_notice.h"
#include "conf/vocab/time.h"

namespace bounce {

using conf::AddressStatus;
bool parse_status(std::string_view text, AddressStatus* out);
// Quarantine and Denylisted.
constexpr bool is_barred(AddressStatus status) {
  return status == AddressStatus::kQuarantine || status == AddressStatus::kDenylisted;
}

// Technical values of the reasons that the life of an address depends on.
inline constexpr uint8_t kReasonMailboxFull = 5;
inline constexpr uint8_t kReasonErrorIgnored = 25;

struct AddressStanding {
  AddressStatus status = AddressStatus::kUnknown;
  uint8_t reason = 0;  // of the last counted error
};

struct AddressState {
  AddressStatus status = AddressStatus::kUnknown;
  uint32_t errors = 0;        // counted ("significant") errors since the last clean state
  uint8_t reason = 0;         // of the last counted error
  conf::WallTime last_error;  // the last counted error; the epoch: none
  conf::WallTime first_hard;  // a Hard that waits for a second one; the epoch: none
  conf::WallTime changed;     // when the status changed
  bool operator==(const AddressState&) const = default;
};

enum class AddressEventKind : uint8_t { kDelivered, kError, kComplaint };

struct AddressEvent {
  AddressEventKind kind = AddressEventKind::kError;
  conf::WallTime at;
  ErrorType type = ErrorType::kSoft;  // kError
  Scope scope = Scope::kRecipient;    // kError
  uint8_t reason = 0;                 // kError
  bool unqualified = false;           // kError: the text is still To qualify
};

enum class AddressChange : uint8_t {
  kNone,     // nothing to write
  kCounted,  // With errors, one more
  kQuarantined,
  kDenylisted,
  kCleared,    // back to Valid: the row goes
  kIgnored,    // an error of an allowlisted address was noted
  kRefreshed,  // a mailbox in quarantine is still full: its days begin again
};

struct AddressStep {
  AddressState state;
  AddressChange change = AddressChange::kNone;
};

// When the row clears itself without another event; WallTime::max() when nothing but an operator lifts it.
conf::WallTime clears_at(const AddressState& state, const conf::QuarantineSettings& settings);
// The state at `now`: a row whose time has come is Valid.
AddressState at_time(const AddressState& state, conf::WallTime now, const conf::QuarantineSettings& settings);
// What the event makes of it. The time of the row is looked at first.
AddressStep after(const AddressState& state, const AddressEvent& event,
                  const conf::QuarantineSettings& settings);
// An operator says so. Valid and Unknown clear the row.
AddressStep set_by_operator(AddressStatus status, uint8_t reason, conf::WallTime now);

// The one spelling of an address: the domain is canonical already; the local part in lower case (ASCII) when
// `fold_local_part`.
std::string folded(const conf::Mailbox& mailbox, bool fold_local_part);

}  // namespace bounce
