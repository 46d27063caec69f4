// Tries that cost a delivery nothing, because what refused it was about one host and another may take it, or
// because nothing was answered. They are made at once, and hence bounded. Loop thread.
#pragma once

#include <vector>

#include "relay/flow/hosts.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/server_troubles.h"
#include "relay/queue/delivery.h"

namespace relay {

class FreeTries {
 public:
  FreeTries(Hosts* hosts, const ServerTroubles* troubles) : hosts_(hosts), troubles_(troubles) {}  // borrowed

  // A server that always has something must not keep us busy: of a transaction that was not tried once too
  // often the outcomes become refusals.
  static void bound(queue::Delivery* delivery, std::vector<smtp::RecipientOutcome>* outcomes);
  // The host's greeting is well and its mail is not: what it refused counts as not tried when another host is
  // well, and the host is left for a while, a longer one where it was silent long. The transaction began at
  // `began`. Call it when the limits have counted the outcomes: this host has seen them.
  void try_next_host(const OutboundConnection& connection, queue::Delivery* delivery,
                     std::vector<smtp::RecipientOutcome>* outcomes, conf::Instant began, conf::Instant now);

 private:
  void look_at_offers(const OutboundConnection& connection, bool may_try,
                      std::vector<smtp::RecipientOutcome>* outcomes, bool* leads_on, conf::Instant now);

  Hosts* hosts_;
  const ServerTroubles* troubles_;
};

}  // namespace relay
