#include "bounce/quarantine.h"

#include <algorithm>
#include <array>

#include "bounce/quarantine_book.h"

namespace bounce {

namespace {

constexpr conf::WallTime kNone{};

bool counts(const AddressEvent& event, const conf::QuarantineSettings& settings) {
  if (event.scope != Scope::kRecipient) return false;
  if (event.unqualified && !settings.count_unqualified) return false;
  return event.type == ErrorType::kHard || event.type == ErrorType::kSoft;
}

// At most one error counts in an interval. A clock that was wrong must not stop the counting for years: a
// last error that lies further ahead than an interval is taken for none.
bool is_significant(const AddressState& state, conf::WallTime at, const conf::QuarantineSettings& settings) {
  if (state.errors == 0) return true;
  if (state.last_error > at + settings.error_interval) return true;
  return at - state.last_error >= settings.error_interval - settings.error_tolerance;
}

AddressStep quarantined(AddressState state, conf::WallTime at) {
  state.status = AddressStatus::kQuarantine;
  state.changed = at;
  return {state, AddressChange::kQuarantined};
}

AddressStep after_hard(AddressState state, const AddressEvent& event,
                       const conf::QuarantineSettings& settings) {
  const bool significant = is_significant(state, event.at, settings);
  const bool first = state.first_hard == kNone || state.first_hard > event.at;
  const bool decides = settings.second_hard_after.count() == 0 ||
                       (!first && event.at - state.first_hard >= settings.second_hard_after);
  if (decides) {
    ++state.errors;
    state.last_error = event.at;
    state.reason = event.reason;
    return quarantined(state, event.at);
  }
  if (!first && !significant) return {state, AddressChange::kNone};
  if (first) state.first_hard = event.at;
  if (significant) {
    // It weighs as much as a Soft, but a Hard that must be confirmed never fills the counter by itself.
    state.errors = std::max(state.errors, std::min(state.errors + 1, settings.max_errors - 1));
    state.last_error = event.at;
    state.reason = event.reason;
  }
  if (state.status != AddressStatus::kWithErrors) state.changed = event.at;
  state.status = AddressStatus::kWithErrors;
  return {state, AddressChange::kCounted};
}

AddressStep after_soft(AddressState state, const AddressEvent& event,
                       const conf::QuarantineSettings& settings) {
  if (!is_significant(state, event.at, settings)) return {state, AddressChange::kNone};
  ++state.errors;
  state.last_error = event.at;
  state.reason = event.reason;
  if (state.errors >= settings.max_errors) return quarantined(state, event.at);
  if (state.status != AddressStatus::kWithErrors) state.changed = event.at;
  state.status = AddressStatus::kWithErrors;
  return {state, AddressChange::kCounted};
}

// Mail that was let past goes on to say how the address is.
AddressStep after_error_in_quarantine(AddressState state, const AddressEvent& event) {
  if (state.reason != kReasonMailboxFull) return {state, AddressChange::kNone};
  if (event.type != ErrorType::kHard && event.reason != kReasonMailboxFull)
    return {state, AddressChange::kNone};
  if (event.type == ErrorType::kHard) state.reason = event.reason;  // now it is for good
  state.last_error = std::max(state.last_error, event.at);
  return {state, AddressChange::kRefreshed};
}

AddressStep after_error(const AddressState& state, const AddressEvent& event,
                        const conf::QuarantineSettings& settings) {
  if (!counts(event, settings)) return {state, AddressChange::kNone};
  switch (state.status) {
    case AddressStatus::kDenylisted:
      return {state, AddressChange::kNone};
    case AddressStatus::kQuarantine:
      return after_error_in_quarantine(state, event);
    case AddressStatus::kAllowlisted: {
      AddressState noted = state;
      noted.reason = kReasonErrorIgnored;
      noted.last_error = event.at;
      return {noted, AddressChange::kIgnored};
    }
    case AddressStatus::kUnknown:
    case AddressStatus::kValid:
    case AddressStatus::kWithErrors:
      break;
  }
  return event.type == ErrorType::kHard ? after_hard(state, event, settings)
                                        : after_soft(state, event, settings);
}

}  // namespace

bool parse_status(std::string_view text, AddressStatus* out) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(AddressStatus::kAllowlisted); ++i) {
    if (text != to_text(static_cast<AddressStatus>(i))) continue;
    *out = static_cast<AddressStatus>(i);
    return true;
  }
  return false;
}

const char* to_text(Outcome outcome) {
  constexpr std::array<const char*, 7> kWords = {"delivered",   "deferred",  "failed", "expired",
                                                 "quarantined", "complaint", "dropped"};
  return kWords[static_cast<size_t>(outcome)];
}

conf::WallTime clears_at(const AddressState& state, const conf::QuarantineSettings& settings) {
  const bool full = state.reason == kReasonMailboxFull;
  if (state.status == AddressStatus::kQuarantine && full)
    return state.last_error + settings.mailbox_full_after;
  if (state.status != AddressStatus::kWithErrors) return conf::WallTime::max();
  conf::WallTime at = state.last_error + (full ? settings.mailbox_full_after : settings.clean_after);
  // The second Hard may come this late; a row that is gone before could not be confirmed.
  if (state.first_hard != kNone)
    at = std::max(at, state.first_hard + settings.second_hard_after + settings.clean_after);
  return at;
}

AddressState at_time(const AddressState& state, conf::WallTime now,
                     const conf::QuarantineSettings& settings) {
  if (now < clears_at(state, settings)) return state;
  AddressState clean;
  clean.status = AddressStatus::kValid;
  clean.changed = now;
  return clean;
}

AddressStep after(const AddressState& state, const AddressEvent& event,
                  const conf::QuarantineSettings& settings) {
  const AddressState present = at_time(state, event.at, settings);
  const bool cleared = present != state;
  AddressStep step{present, AddressChange::kNone};
  switch (event.kind) {
    case AddressEventKind::kDelivered:
      if (present.status == AddressStatus::kWithErrors) {
        step.state = AddressState();
        step.state.status = AddressStatus::kValid;
        step.state.changed = event.at;
        step.change = AddressChange::kCleared;
      }
      break;
    case AddressEventKind::kError:
      step = after_error(present, event, settings);
      break;
    case AddressEventKind::kComplaint:
      if (present.status == AddressStatus::kAllowlisted) {
        step.state.reason = kReasonErrorIgnored;
        step.state.last_error = event.at;
        step.change = AddressChange::kIgnored;
      } else if (present.status != AddressStatus::kDenylisted) {
        step.state.status = AddressStatus::kDenylisted;
        step.state.reason = event.reason;
        step.state.last_error = event.at;
        step.state.changed = event.at;
        step.change = AddressChange::kDenylisted;
      }
      break;
  }
  if (cleared && step.change == AddressChange::kNone) step.change = AddressChange::kCleared;
  return step;
}

AddressStep set_by_operator(AddressStatus status, uint8_t reason, conf::WallTime now) {
  AddressStep step;
  step.state.changed = now;
  step.state.status = status;
  if (status == AddressStatus::kUnknown) step.state.status = AddressStatus::kValid;
  step.state.reason = reason;
  switch (step.state.status) {
    case AddressStatus::kQuarantine:
      step.change = AddressChange::kQuarantined;
      step.state.last_error = now;  // a full mailbox is given its days from here
      break;
    case AddressStatus::kDenylisted:
      step.change = AddressChange::kDenylisted;
      break;
    case AddressStatus::kAllowlisted:
      step.change = AddressChange::kIgnored;
      break;
    case AddressStatus::kWithErrors:
      step.change = AddressChange::kCounted;
      step.state.errors = 1;
      step.state.last_error = now;
      break;
    case AddressStatus::kUnknown:
    case AddressStatus::kValid:
      step.state.reason = 0;
      step.change = AddressChange::kCleared;
      break;
  }
  return step;
}

std::string folded(const conf::Mailbox& mailbox, bool fold_local_part) {
  std::string text = mailbox.text();
  if (!fold_local_part) return text;
  const size_t local = std::min(mailbox.local.size(), text.size());
  for (size_t i = 0; i < local; ++i) {
    if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] + 32);
  }
  return text;
}

}  // namespace bounce
