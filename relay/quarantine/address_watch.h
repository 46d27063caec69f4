// Where mail meets the quarantine: at RCPT, before a recipient is routed or sent to, and when a server has
// answered. Asks and tells the book; says in the journal whom it kept from being written to. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bounce/qualifier.h"
#include "bounce/quarantine_book.h"
#include "conf/config.h"
#include "relay/journal/journal.h"
#include "relay/walk/veto.h"
#include "relay/walk/witness.h"

namespace relay {

class AddressWatch final : public Veto, public Witness {
 public:
  struct Parts {  // borrowed
    bounce::QuarantineBook* book = nullptr;
    journal::Journal* journal = nullptr;
    const conf::Clock* clock = nullptr;
  };
  AddressWatch(Parts parts, conf::ConfigPtr config);
  void reload(conf::ConfigPtr config) { config_ = std::move(config); }
  // For what is found in the spool at the start.
  void use(std::shared_ptr<const bounce::Qualifier> qualifier) { qualifier_ = std::move(qualifier); }

  // The reply to RCPT when the address may not be written to and the listener refuses such. `envelope` is
  // that of the transaction so far.
  std::optional<std::string> at_door(const conf::Envelope& envelope, const conf::Recipient& recipient);

  // "in quarantine (user-unknown)", "on the denylist": nothing is sent to the address, whoever writes; "": it
  // may be. O(1)
  std::string barred(const conf::Mailbox& address) const;

  std::optional<Refusal> refuses(const spool::MessageRecord& record,
                                 const spool::RecipientRecord& recipient) const override;
  void carried_out(const spool::MessageRecord& record, const spool::RecipientRecord& recipient) override;
  bool doubts(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
              const smtp::RecipientOutcome& outcome, const AttemptFacts& facts, conf::WallTime now) override;
  // A Hard error that was settled a moment before the end may not be in the book yet: it is told again. Only
  // such: a Soft one is met again with the next try.
  void recovered(const spool::MessageRecord& record, conf::WallTime now) override;

 private:
  std::optional<bounce::AddressStanding> barred(const conf::Envelope& envelope,
                                                const conf::Recipient& recipient) const;
  conf::QuarantineAction action_of(const std::string& listener) const;
  conf::Suppression suppression_of(const conf::Envelope& envelope) const;  // of mail that was accepted

  Parts parts_;
  conf::ConfigPtr config_;
  std::shared_ptr<const bounce::Qualifier> qualifier_;
};

}  // namespace relay
