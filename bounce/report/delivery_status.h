// message/delivery-status (RFC 3464) and message/global-delivery-status (RFC 6533), as receivers really
// write them: groups run together or torn apart, types missing, addresses in brackets, values folded
// wrongly.
#pragma once

#include <string_view>

#include "bounce/report/report.h"

namespace bounce::report {

// Adds the recipients and the fields of the message to `*report`; true when there was at least one recipient
// with an action, a status or an address. Never sets the kind.
bool read_delivery_status(std::string_view content, Report* report);

// "failed", "Failed (unknown user)", "delayed" ...; kUnsaid for anything else.
Action action_of(std::string_view value);

}  // namespace bounce::report
