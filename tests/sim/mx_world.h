// The whole relay under MX rules among receivers that write down what they see: the stage of the simulations
// of the limits, whether drawn from a seed or written by hand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/mx_history.h"
#include "tests/sim/names.h"
#include "tests/sim/relay_run.h"

namespace sim {

class MxWorld final : private PeerWatch {
 public:
  explicit MxWorld(uint64_t seed);

  // Before start(). Site i has the MX host "mx<i>.test" and the domains "d<i>-<k>.test".
  void add_site(size_t domains, size_t addresses);
  // A domain with the hosts of several sites, which it shares with theirs.
  void add_domain(const std::string& name, const std::vector<size_t>& sites);
  void start(const std::string& configuration);
  void reload(const std::string& configuration);
  Peer& peer(size_t site) { return *peers_[site]; }
  relay::spool::MemorySpool& spool() { return spool_; }
  size_t sites() const { return peers_.size(); }
  relay::Desk& desk() { return relay_->desk(); }
  // Carried out at once: there are few paths.
  relay::admin::MxOrderDone order(const relay::admin::MxOrder& order);
  relay::Transit& transit() { return relay_->transit(); }

  // Hands in a message; when the relay is down, as soon as it is up again.
  void submit(const std::string& from, const std::vector<std::string>& recipients);
  void crash(conf::Duration down);
  void restart(conf::Duration down);  // in order
  // Until `over` or that time. After each step of the relay its work is looked at.
  void run_until(
      conf::Instant limit, const std::function<bool()>& over = [] { return false; });
  bool settled() const;  // nothing is left in the relay
  // What the log says that was decided, into the history; once.
  void collect();
  // The same, and the judge of all that is known here; violations are in the ledger.
  void judge();
  uint64_t history_hash() const;

  World world;
  Network network;
  Names names;
  Log log;
  Ledger ledger;
  History history;
  uint64_t submitted = 0, starts = 0;
  conf::Duration validity{0};

 private:
  uint64_t began(const std::string& address, const std::string& source) override;
  void mail(uint64_t session, const std::string& reverse_path) override;
  void said(uint64_t session, int code, size_t recipients) override;
  void ended(uint64_t session, End how) override;
  Peer* listen(const std::string& host, const std::vector<std::string>& addresses);
  void look_at_work();
  void judge_promises();
  void judge_deferrals();

  relay::spool::MemorySpool spool_;
  std::unique_ptr<RelayRun> relay_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<Peer> reports_;  // the senders' own server
  std::map<std::string, size_t> site_of_address_;
  std::set<std::string> neglected_;
  std::map<conf::MessageId, conf::Instant> accepted_ids_;
};

}  // namespace sim
