// The tables of the ledger, and how a state stands in them. Times are microseconds since 1970, 0: none.
#pragma once

#include "bounce/ledger/ledger.h"
#include "bounce/ledger/sqlite_database.h"

namespace bounce {

extern const char* const kTables;

// Six columns from `column` on: status, errors, reason, last_error, first_hard, changed.
void read_state(const Statement& statement, int column, AddressState* out);
// Those, then created, text, rule, site, mx_host, by, message: all of a row but its list and its address.
void read_row(const Statement& statement, int column, AddressRow* out);
void bind_state(Statement* statement, const AddressState& state);

}  // namespace bounce
