// What reply rules do to paths and hosts: pause, block, leave a source out, go to the next host. What they do
// to messages the walk decides from the same value. Loop thread.
#pragma once

#include <vector>

#include "bounce/qualifier.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/flow/hosts.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/site_table.h"
#include "relay/flow/work_list.h"

namespace relay {

class PathActs {
 public:
  PathActs(queue::SiteTable* sites, PathGate* gate, Hosts* hosts, WorkList* work, DispatcherUser* user)
      : sites_(sites), gate_(gate), hosts_(hosts), work_(work), user_(user) {}  // borrowed

  // Does what the meaning of a reply says about its path.
  void obey(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
            conf::Instant now);
  // The same for the refusals of a transaction, and about its host: that of the outcomes which is to be tried
  // at another host now becomes `next_host`.
  void obey(const OutboundConnection& connection, std::vector<smtp::RecipientOutcome>* outcomes,
            conf::Instant now);

 private:
  void pause(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
             conf::Instant now);
  void switch_source_off(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
                         conf::Instant now);

  queue::SiteTable* sites_;
  PathGate* gate_;
  Hosts* hosts_;
  WorkList* work_;
  DispatcherUser* user_;
};

}  // namespace relay
