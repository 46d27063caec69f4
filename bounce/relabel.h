// What becomes of an address when the text that moved it is read otherwise than it was: a row or a rule was
// changed, and the past is to follow. Pure.
#pragma once

#include <optional>

#include "bounce/qualification.h"
#include "bounce/quarantine.h"

namespace bounce {

// `meaning`: what the text of the last counted error says from now on. Nothing: the state stays as it is. An
// error that no longer counts is taken back; a Hard that became Soft is one error; errors that became Hard
// bar the address.
std::optional<AddressState> relabelled(const AddressState& state, const Qualification& meaning,
                                       const conf::QuarantineSettings& settings, conf::WallTime now);

}  // namespace bounce
