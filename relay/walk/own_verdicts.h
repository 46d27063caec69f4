// What the relay itself decides about recipients, without asking their server: refused for want of a route,
// of time or of a signature; vetoed; dropped or given up by an operator. Each is settled like the answer of a
// server. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bounce/qualifier.h"
#include "relay/journal/attempt.h"
#include "relay/journal/journal.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message_cache.h"
#include "relay/smtp/transaction.h"
#include "relay/spool/relay_clock.h"
#include "relay/walk/route_finder.h"
#include "relay/walk/settlement.h"
#include "relay/walk/veto.h"
#include "relay/walk/walk.h"

namespace relay {

class OwnVerdicts {
 public:
  struct Parts {                                         // all are borrowed but the qualifier
    std::shared_ptr<const bounce::Qualifier> qualifier;  // not null
    Veto* veto = nullptr;                                // null: nobody says no
    journal::Journal* journal = nullptr;
    const spool::RelayClock* clock = nullptr;
    queue::DomainTable* domains = nullptr;
    queue::MessageCache* messages = nullptr;
    const RouteFinder* routes = nullptr;
    const Attempts* attempts = nullptr;
    Settlement* settlement = nullptr;
    Walk* walk = nullptr;  // gets each delivery back, settled or unreadable
  };
  explicit OwnVerdicts(Parts parts) : parts_(std::move(parts)) {}

  // The recipients of the delivery, whose message is in memory, that are to be tried now: pending, due, and
  // not vetoed. The veto's refusals are settled, and an operator's "retry" is used up; conclude() is left to
  // the caller.
  std::vector<uint32_t> take_recipients_now(queue::Delivery* delivery);
  // True: the veto leaves nobody of a new delivery, which need not be routed and is to be concluded. False:
  // all is as it was, for somebody is left, or its message is not in memory; the veto is asked again before
  // anything is sent.
  bool refuses_all(queue::Delivery* delivery);
  // All of its recipients that are due get this reply; then it is concluded. It becomes kLoading.
  void refuse(queue::Delivery* delivery, bounce::Stage stage, bounce::Reply reply, AttemptFacts facts);
  // The same, when its validity is over; `waited_for` says in words what it waited for. `facts.settings`
  // null: those of its domain.
  void expire(queue::Delivery* delivery, const std::string& waited_for, AttemptFacts facts);
  // All of its pending recipients end as dropped, by order of `who` (may be empty). It becomes kLoading.
  void drop(queue::Delivery* delivery, const std::string& who);
  // All of its pending recipients fail, whether or not they are due: with a report, and no address is blamed.
  // It becomes kLoading.
  void fail(queue::Delivery* delivery, const std::string& who);

  void use(std::shared_ptr<const bounce::Qualifier> qualifier) { parts_.qualifier = std::move(qualifier); }

 private:
  template <typename Then>
  void with_record(queue::Delivery* delivery, Then then);
  std::vector<uint32_t> due_recipients(const queue::Delivery& delivery) const;
  conf::SettingsPtr settings_for(const queue::Delivery& delivery) const;
  void take_out_vetoed(queue::Delivery* delivery, std::vector<uint32_t>* indices);
  smtp::RecipientOutcome refusal(bounce::Stage stage, bounce::Reply reply) const;

  Parts parts_;
};

}  // namespace relay
