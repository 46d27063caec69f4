// The receivers of a scenario and their names, drawn by the seed: domains with one to three MX hosts each,
// name servers in trouble, MX sets that change while mail waits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/ledger.h"
#include "tests/sim/names.h"
#include "tests/sim/network.h"
#include "tests/sim/peer.h"
#include "tests/sim/world.h"

namespace sim {

class Town {
 public:
  Town(World* world, Ledger* ledger, Network* network, Names* names)
      : world_(world), ledger_(ledger), network_(network), names_(names) {}
  struct Terms {
    uint32_t messages_per_connection = 0;  // the relay has to keep to it; 0: any number
    bool wants_signature = false;          // each message must have one
    bool in_time = false;  // no receiver takes minutes for one message: thousands would wait for days
  };
  void build(const Terms& terms);
  // Hosts lose their names for a while, MX sets are reordered, lose a host and get it back.
  void plan_changes();
  // An address at one of the domains; few of those have no receiver.
  std::string recipient(uint64_t message, uint64_t number);
  const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }
  // A domain has other hosts than before: that is another site, with counters of its own.
  bool moved() const { return moved_; }

 private:
  struct Place {
    std::string domain;
    std::vector<std::string> hosts;
    bool smtputf8 = false;
  };
  Peer* open(const std::string& host, const std::vector<std::string>& addresses);
  void draw_rules(PeerRules* rules);
  void reorder(const Place& place);
  void change(const Place& place);

  World* world_;
  Ledger* ledger_;
  Network* network_;
  Names* names_;
  Terms terms_;
  bool moved_ = false;
  std::vector<Place> places_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace sim
