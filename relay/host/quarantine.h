// The quarantine in the daemon: the ledger with its thread, what watches the mail for it, and its feed of the
// journal. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bounce/ledger/ledger_keeper.h"
#include "conf/config.h"
#include "relay/journal/gauges.h"
#include "relay/quarantine/address_watch.h"
#include "relay/quarantine/ledger_feed.h"
#include "relay/walk/transit_parts.h"

namespace relay {

class Quarantine {
 public:
  struct Parts {  // borrowed; they outlive it
    journal::Journal* journal = nullptr;
    const conf::Clock* clock = nullptr;
    std::function<void()> wake;                   // any thread
    std::function<void(const std::string&)> say;  // any thread
  };
  // With [quarantine] enabled = false nothing is opened and nobody is watched.
  static conf::Result<std::unique_ptr<Quarantine>> open(Parts parts, const conf::ConfigPtr& config);
  ~Quarantine();  // writes what is left; takes its feed out of the journal

  void join(TransitParts* parts);  // watches the mail of this walk, with its qualifier
  // The reply to RCPT when nothing may be sent to the recipient.
  using Door = std::function<std::optional<std::string>(const conf::Envelope& envelope,
                                                        const conf::Recipient& recipient)>;
  Door door();  // empty when it is off
  void step(conf::Instant now);
  // As AddressWatch::barred(); "" when it is off.
  std::string barred(const conf::Mailbox& address) const;
  journal::QuarantineGauges gauges() const;    // zeros when it is off
  void reload(const conf::ConfigPtr& config);  // enabled, path and known_addresses wait for a restart

 private:
  explicit Quarantine(Parts parts) : parts_(std::move(parts)) {}

  Parts parts_;
  std::unique_ptr<bounce::LedgerKeeper> keeper_;
  std::unique_ptr<AddressWatch> watch_;
  std::unique_ptr<LedgerFeed> feed_;
};

}  // namespace relay
