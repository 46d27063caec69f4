// A message in the queue as its deliveries stand: where each is, from which source it goes, and what keeps it
// back. Loop thread.
#pragma once

#include <vector>

#include "conf/vocab/envelope.h"
#include "relay/admin/delivery_view.h"
#include "relay/desk/domain_holds.h"
#include "relay/walk/transit.h"

namespace relay {

// `ordered` as DomainHolds takes it. Empty: none is queued. O(recipient domains)
std::vector<admin::DeliveryView> delivery_views(Transit* transit, conf::MessageId id,
                                                const DomainHolds::OrderedUntil& ordered, conf::Instant now);

}  // namespace relay
