// The logins of paths: who is told our secrets, and what follows when a server refuses one. That is the
// trouble of the site and of its operator, never of a recipient: mail waits. Loop thread.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "conf/vocab/time.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/login_pauses.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path.h"
#include "relay/flow/server_troubles.h"
#include "relay/flow/site_table.h"
#include "relay/flow/work_list.h"
#include "relay/net/secrets.h"

namespace relay {

// How a login failed, for people: "failed at smtp.example: 535 no".
std::string login_failure(const std::string& host, const bounce::Reply& reply);

class Logins {
 public:
  // All are borrowed; `secrets` may be null: nobody logs in.
  Logins(const FlowState* flow, const queue::SiteTable* sites, Secrets* secrets, WorkList* work,
         const ServerTroubles* troubles)
      : flow_(flow), sites_(sites), secrets_(secrets), work_(work), troubles_(troubles) {}

  // Fills the login of the plan and which of its targets are told it: the smart hosts that it was written
  // for, and nobody else. Call it for a connection that is opened at once: others wait for what becomes of
  // it.
  void plan(const queue::Path& path, OutboundConnection::Plan* plan);
  // Before then no connection that would log in is opened: its login was refused, or another one tries it
  // now.
  conf::Instant until(const queue::Path& path) const;
  // Why, for people; see LoginPauses::why().
  std::string why(const queue::Path& path) const { return pauses_.why(path.settings->peer.login); }
  // The connection logged in, or was refused as its error() says. What waited for it goes.
  void answered(const OutboundConnection& connection, const Target& target, bool good);
  // It ended before its login was answered.
  void undecided(const OutboundConnection& connection) {
    if (!is_of_before(connection)) pauses_.undecided(connection.login());
  }
  // The operator may have mended it: what waits for a login is to be tried at once, and what connections of
  // before are answered says nothing of it.
  void forget();
  // Goes on waking what waited for a login that works again; after forget(), every path with a login goes to
  // `poke`. Some paths in each call.
  void step(const std::function<void(queue::Path*)>& poke);
  bool waking() const { return all_ || !good_.empty(); }

  Secrets* secrets() const { return secrets_; }

 private:
  // It was given the secret of before the latest forget().
  bool is_of_before(const OutboundConnection& connection) const { return connection.started() < forgotten_; }

  const FlowState* flow_;
  const queue::SiteTable* sites_;
  Secrets* secrets_;
  WorkList* work_;
  const ServerTroubles* troubles_;
  LoginPauses pauses_;
  conf::Instant forgotten_{};
  std::set<std::string> good_;  // news: their paths are being woken
  bool all_ = false;            // ... those of all logins
  size_t part_ = 0;             // of the table, where that goes on
};

}  // namespace relay
