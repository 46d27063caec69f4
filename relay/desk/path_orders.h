// Puts the orders of operators on paths, and takes them away: each path holds its own, whatever it is counted
// together with. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "conf/vocab/time.h"
#include "relay/desk/order_book.h"
#include "relay/walk/transit.h"

namespace relay {

// The path waits for the end of `entry`, and that is told; with `teller`, as what that order did.
void hold_path(Transit* transit, queue::Path* path, const OrderBook::Entry& entry,
               const admin::MxOrder& teller, conf::Instant now);
// No order holds the path any more; `why` says how it comes, `who` did it ("": nobody).
void free_path(Transit* transit, queue::Path* path, const std::string& why, const std::string& who,
               conf::Instant now);
// Tells what `decisions` say of the path, with the name of who ordered it.
void tell_ordered(Transit* transit, const queue::Path& path, std::vector<mx::Decision> decisions,
                  const std::string& who);

}  // namespace relay
