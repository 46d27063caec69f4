// A receiving mail server of the simulation: speaks enough SMTP, says no at random, counts who comes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/net/transport.h"
#include "tests/sim/faults.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world.h"

namespace sim {

// Hears what a peer sees of the relay, as it sees it.
class PeerWatch {
 public:
  enum class End : uint8_t { kQuit, kOurs, kBroken };  // QUIT; we closed it; it was closed or broke
  static constexpr size_t kAll = SIZE_MAX;             // recipients that were not named yet
  virtual ~PeerWatch() = default;
  virtual uint64_t began(const std::string& address, const std::string& source) = 0;  // a number for it
  virtual void mail(uint64_t session, const std::string& reverse_path) = 0;
  // The final word on so many recipients of the latest MAIL; on nobody in particular: 0.
  virtual void said(uint64_t session, int code, size_t recipients) = 0;
  virtual void ended(uint64_t session, End how) = 0;
};

struct PeerRules {
  double refuse_soft = 0, refuse_hard = 0;  // per RCPT
  double refuse_dot = 0;                    // per message, 4yz
  double refuse_content = 0;                // per message, 5yz after the final dot
  double drop = 0;                          // the connection breaks instead of a reply
  double busy = 0;                          // another greeting than 220
  double refuse_mail = 0;                   // MAIL is refused
  std::string busy_text = "421 4.3.2 too busy";
  std::string soft_text = "450 4.2.1 not now";
  std::string hard_text = "550 5.1.1 no such user";
  std::string mail_text = "421 4.7.0 too many messages, slow down";
  conf::Duration slow{0};          // the reply to the final dot takes up to so long
  uint32_t max_recipients = 1000;  // then faults.too_many_text
  bool pipelining = true, chunking = true, dsn = true, starttls = false;
  bool enhanced = true, eight_bit = true, size = false, smtputf8 = false;
  double refuse_tls = 0;           // STARTTLS is offered and then refused
  double object_tls = 0;           // it goes right after the handshake: the peer of TLS 1.3 does not like us
  uint32_t limit_connections = 0;  // what the configuration of the relay promises; 0: not checked
  uint32_t limit_messages = 0;     // per connection
  bool wants_signature = false;    // each message must come signed, exactly once; false: none
  conf::Duration least_retry{0};   // after a 4yz for a recipient
  // Limits that it tells nobody: messages in any minute (then MAIL gets mail_text), connections (then 421).
  uint32_t hidden_per_minute = 0, hidden_connections = 0;
  Faults faults;
};

class Peer {
 public:
  Peer(World* world, Ledger* ledger, std::string name)
      : world_(world), ledger_(ledger), name_(std::move(name)) {}
  void accept(std::unique_ptr<relay::Transport> stream, const std::string& address = {},
              const std::string& source = {});
  // The relay's process died: what it refused before is no longer known to it as a time.
  void forget_streams();
  PeerRules rules;
  uint64_t taken = 0, encrypted = 0;  // messages; of these, those that came over TLS
  uint64_t turned_down = 0;           // what its hidden limits refused
  Played played{};
  uint32_t most_connections = 0;
  PeerWatch* watch = nullptr;

 private:
  class Session;
  void ended(Session* session);
  void took(const std::string& body, const std::vector<std::string>& recipients, const std::string& source,
            std::shared_ptr<const bool> heard);

  World* world_;
  Ledger* ledger_;
  std::string name_;
  bool takes_one_more();

  uint32_t connections_ = 0;
  std::deque<conf::Instant> minute_;  // MAIL commands that were taken, under a hidden limit
  std::map<Session*, std::shared_ptr<Session>> sessions_;
};

}  // namespace sim
