// The receiving side of the daemon: who may connect, how many at a time, how much memory half-received
// messages may take; hands complete messages to the Transit and its answer back to the client. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/secret.h"
#include "relay/intake/door_book.h"
#include "relay/intake/inbound_connection.h"
#include "relay/intake/memory_shares.h"
#include "relay/intake/places.h"
#include "relay/intake/user_hours.h"
#include "relay/net/transport.h"
#include "relay/walk/transit.h"

namespace relay {

class Reception final : public InboundConnection::Owner, private smtp::Gate {
 public:
  using AuthDone = std::function<void(smtp::AuthOutcome)>;
  using Check = std::function<void(conf::ConfigPtr, const std::string& client, const std::string& user,
                                   conf::Secret secret, AuthDone)>;

  // `check` may be empty: then nobody can log in. `tell` hears of who was refused; may be empty.
  Reception(conf::ConfigPtr config, Transit* transit, const conf::Clock* clock, Check check,
            DoorBook::Tell tell);
  ~Reception() override;

  // Who takes mail that came back; without one it is refused with 451.
  using Returned =
      std::function<void(spool::MessageRecord record, conf::Bytes body, Transit::AcceptDone done)>;
  void on_returned(Returned take) { returned_ = std::move(take); }
  // A client of the listener of that name. `tls_available`: a certificate is loaded.
  void accept(const std::string& listener, bool tls_available, Accepted accepted);
  void step();  // frees what has closed, tells of refusals
  conf::Instant next_wake() const { return book_.next_wake(); }
  void reload(conf::ConfigPtr config);
  // What is asked of each recipient before it is taken: the reply when nothing may be sent to it, or nothing.
  using Refuse =
      std::function<std::optional<std::string>(const conf::Envelope& envelope, const conf::Recipient&)>;
  void on_recipient(Refuse refuse) { refuse_ = std::move(refuse); }
  // What gives a message that came without one its Message-ID, as smtp::Gate::message_id().
  using Name = std::function<std::string(conf::MessageId id, const conf::Mailbox& reverse_path)>;
  void on_nameless(Name name) { name_ = std::move(name); }
  void shut_down();  // every session says 421 as soon as it may
  void abandon();
  size_t connections() const { return connections_.size(); }
  const DoorBook& book() const { return book_; }

  conf::MessageId next_id() override { return transit_->next_id(); }
  MemoryShares* memory() override { return &memory_; }
  uint32_t may_work() override;
  void worked(uint32_t work) override { round_work_ -= std::min(round_work_, work); }
  void offer(uint64_t connection, spool::MessageRecord record, conf::Bytes body) override;
  void withdraw(conf::MessageId id) override { transit_->withdraw(id); }
  void offer_returned(uint64_t connection, spool::MessageRecord record, conf::Bytes body) override;
  void authenticate(uint64_t connection, std::string user, conf::Secret secret) override;
  void refused(conf::DoorEvent event) override;
  void connection_closed(uint64_t connection) override;

 private:
  // In units of ServerSession::begin_turn(), of some microseconds each: however many clients pipeline, a
  // round stays short, and whoever comes last in it still has its command answered. One connection alone has
  // 0.1 ms of plain commands and at most some 50 KB of replies.
  static constexpr uint32_t kRoundWork = 192, kTurnWork = 96, kLeastWork = 8;
  bool accepting(std::string* why) const override;
  // `user`: his message is counted, and not any more if it cannot be stored; "": nobody's.
  Transit::AcceptDone answer_to(uint64_t connection, uint64_t size, const std::string& user);
  std::string refuses(const conf::Envelope& envelope, const conf::Recipient& recipient) override;
  std::string over_quota(const std::string& user) override;
  std::string message_id(conf::MessageId id, const conf::Mailbox& reverse_path) override;
  void turn_away(Accepted accepted, const conf::Listener* listener, const std::string& why);
  void auth_over(uint64_t connection, const std::string& user, smtp::AuthOutcome outcome);

  conf::ConfigPtr config_;
  Transit* transit_;
  const conf::Clock* clock_;
  Check check_;
  Returned returned_;
  Refuse refuse_;
  Name name_;
  DoorBook book_;
  MemoryShares memory_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers may come after the end
  std::unordered_map<uint64_t, std::unique_ptr<InboundConnection>> connections_;
  Places places_;
  UserHours hours_;
  std::vector<std::unique_ptr<InboundConnection>> graveyard_;
  uint32_t round_work_ = kRoundWork;  // left for the sessions of this round of the loop
  uint64_t next_number_ = 1;
  uint64_t in_spool_ = 0;  // bytes of messages on their way to the disk
};

}  // namespace relay
