// Whether an order about paths names what there is: a slip of the pen would hold nothing, and nobody would
// know.
#pragma once

#include <string>
#include <vector>

#include "conf/config.h"
#include "relay/admin/mx_view.h"
#include "relay/flow/stream_table.h"

namespace relay {

// Why the order can mean nothing, now or later: its rule or its source is none of the configuration's, nor is
// its stream, and no mail has that. "": it can. O(rules + sources + streams)
std::string unknown_name(const admin::MxOrder& order, const conf::Config& config,
                         const queue::StreamTable& streams);

// The same by the configuration alone: what no [[stream]] is named like is of mail that is queued already, if
// of any. "": it can mean what comes.
std::string gone_name(const admin::MxOrder& order, const conf::Config& config);

// Of an order that means none of `sites` (names of sites and of their hosts): that it waits for one, and
// which of them may have been meant.
std::string waits_for_site(const std::string& mask, const std::vector<std::string>& sites);

}  // namespace relay
