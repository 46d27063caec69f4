// The hosts of a path, which are the servers that its mail may be handed to: in which order a connection
// tries them, which of them fail or are left for a time (both stand in the Site, for all its paths), and what
// was learnt about each. An address is well when it does neither and the path's source can reach it. Loop
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "conf/peer_settings.h"
#include "conf/vocab/random.h"
#include "conf/vocab/time.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path.h"
#include "relay/flow/peer_memory.h"
#include "relay/smtp/lessons.h"
#include "relay/smtp/transaction.h"

namespace relay {

class Hosts {
 public:
  // `ask_again`: a path that waits may be able to go elsewhere by now; may be null.
  using AskAgain = std::function<void(queue::Path*)>;
  explicit Hosts(conf::Random* random, AskAgain ask_again = {})  // borrowed
      : random_(random), ask_again_(std::move(ask_again)) {}

  // All addresses that the source of the path can reach, by preference; among equals, and among the addresses
  // of a host, by chance for each connection (RFC 5321 §5.1), so that they share the load.
  std::vector<Target> in_order(const queue::Path& path) const;
  // Of these those that `may` allows, the ones that are not well behind the others. A host that is well, but
  // may not be used now, hides those of a worse preference and all that are not: mail waits for it.
  using May = std::function<bool(const std::string& address)>;
  std::vector<Target> to_try(const queue::Path& path, conf::Instant now, const May& may) const;

  // These three ask all paths of the site again: what waits for this host may go to one of a worse
  // preference, or to one that is left. It is not the first choice for a while.
  void failed(const queue::Path& path, const Target& target, conf::Instant silent_since, conf::Instant now);
  // The same, for at least so long: what it says is about itself.
  void leave(const queue::Path& path, const Target& target, conf::Instant until);
  // A visit came to nothing, and nothing moved since then. Where that is long, as with a host that accepts
  // connections and says no word, new connections from this source go elsewhere for a time that grows with
  // each such visit, and that is much longer than the silence: else a good part of the mail would wait for
  // it. When it is over one connection goes to see. Those that work go on: a host may only refuse more.
  void was_silent(const queue::Path& path, const Target& target, conf::Instant since, conf::Instant now);
  void visits(const queue::Path& path, const Target& target, conf::Instant now);
  // It answered a message that was begun at `asked`, over whatever connection.
  void answered(const queue::Path& path, const Target& target, conf::Instant asked);
  static bool is_well(const queue::Path& path, const std::string& address, conf::Instant now);
  bool any_well(const queue::Path& path, conf::Instant now) const;
  // When the first of those that are not well may be tried again; kNever: all are well.
  static conf::Instant left_until(const queue::Path& path, conf::Instant now);
  // Another host of the path than the one that the connection leads to is well.
  bool has_other(const OutboundConnection& connection, conf::Instant now) const;
  // What the connection leads to offers too little for a message: SIZE, 8BITMIME, SMTPUTF8.
  void offers_too_little(const OutboundConnection& connection, conf::Instant now);
  // Whether another address of the path may take what this one refused for its offer.
  enum class Others : uint8_t {
    kTooLittle,  // the offer of each is known, and is too little as well
    kWell,       // one that is well may
    kNotAsked,   // one may, but cannot be asked now
  };
  Others others_offer(const OutboundConnection& connection, const smtp::RecipientOutcome& refused,
                      conf::Instant now) const;
  // What the connection leads to said that it is not well, and there is another: no cause to rest.
  bool is_left_for_another(const OutboundConnection& connection, conf::Instant now) const;
  // The one that the connection leads to is left, or not among the best that are well.
  bool is_worse_than_needed(const OutboundConnection& connection, conf::Instant now) const;

  void learn(const OutboundConnection& connection, const Target& target, conf::Instant now);
  // TLS with it failed: mail goes in clear for a time. True: that is news.
  bool tls_failed(const Target& target, conf::Instant now);
  smtp::Lessons about(const Target& target, conf::Instant now) const {
    return peers_.about(target.address, target.port, now);
  }
  // What its destination switches off, and what it did not master before.
  smtp::ExtensionSet left_out_for(const Target& target, const conf::PeerSettings& settings,
                                  conf::Instant now) const;

 private:
  void got_worse(const queue::Path& path) const;

  conf::Random* random_;
  AskAgain ask_again_;
  PeerMemory peers_;
};

}  // namespace relay
