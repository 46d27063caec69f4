#include "bounce/relabel.h"

#include <algorithm>

namespace bounce {

namespace {

void set_status(AddressStatus status, conf::WallTime now, AddressState* state) {
  if (state->status == status) return;
  state->status = status;
  state->changed = now;
}

// Its last error does not count any more.
AddressState without_last_error(AddressState state, conf::WallTime now) {
  state.errors = state.errors > 0 ? state.errors - 1 : 0;
  state.first_hard = conf::WallTime{};
  if (state.errors > 0) {
    set_status(AddressStatus::kWithErrors, now, &state);
    return state;
  }
  AddressState clean;
  clean.status = AddressStatus::kValid;
  clean.changed = now;
  return clean;
}

}  // namespace

std::optional<AddressState> relabelled(const AddressState& state, const Qualification& meaning,
                                       const conf::QuarantineSettings& settings, conf::WallTime now) {
  const bool barred = state.status == AddressStatus::kQuarantine;
  if (!barred && state.status != AddressStatus::kWithErrors) return std::nullopt;
  const bool counts = meaning.scope == Scope::kRecipient && meaning.type != ErrorType::kIgnored;
  AddressState fresh = state;
  if (!counts) {
    fresh = without_last_error(state, now);
  } else {
    fresh.reason = static_cast<uint8_t>(meaning.reason);
    fresh.first_hard = conf::WallTime{};
    const bool full = state.errors >= settings.max_errors;
    const bool bars = full || (meaning.type == ErrorType::kHard && settings.second_hard_after.count() == 0);
    if (meaning.type == ErrorType::kHard && !bars) fresh.first_hard = state.last_error;
    set_status(bars ? AddressStatus::kQuarantine : AddressStatus::kWithErrors, now, &fresh);
    if (!bars) fresh.errors = std::max(1U, state.errors);
  }
  if (fresh == state) return std::nullopt;
  return fresh;
}

}  // namespace bounce
