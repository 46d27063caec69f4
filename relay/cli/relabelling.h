// A change of what texts mean, and the past: past replies, queued messages and addresses in quarantine that
// are read otherwise from now on. Says how many they are, changes them on request, and can be taken back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bounce/qualification.h"
#include "bounce/qualification_table.h"
#include "relay/cli/qualify_work.h"

namespace relay::cli {

// What the texts mean from now on, by the key of their row.
using Relabelling = std::map<uint64_t, bounce::Qualification>;

// Counts queued messages (of a relay that runs) and addresses (of a ledger that is there) on stdout. False,
// with a message on stderr, when the ledger cannot be read or written. `batch`: of the ledger, when `apply`
// changed it.
bool relabel_past(const QualifyOptions& options, const Relabelling& rows, bool apply, uint64_t* batch);

// Puts the addresses back; prints how many. False with a message.
bool undo_past(const QualifyOptions& options, uint64_t batch);

}  // namespace relay::cli
