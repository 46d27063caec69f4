// Slips of the pen in a filter: a name that no queued mail has, and the one that was meant. Thread of the
// admin server.
#pragma once

#include <string>

#include "relay/admin/queue_filter.h"
#include "relay/spool/spool.h"

namespace relay::admin {

// For a filter that takes nothing: "no mail is queued for \"gmial.com\"; did you mean \"gmail.com\"?"; "":
// its names are masks, or there. Reads the whole spool; compares with a bounded number of names.
std::string slip_in(const QueueFilter& filter, spool::Spool* spool);

}  // namespace relay::admin
