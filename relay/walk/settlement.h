// What the outcomes of an attempt mean for a message: delivered, deferred until when, failed or expired; what
// the log says and what is reported to the reverse-path. A recipient that fails stays pending in the spool
// until the report about it is stored, so that a crash never loses the only word about a message. Loop
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/event.h"
#include "conf/vocab/random.h"
#include "relay/flow/stream_table.h"
#include "relay/journal/attempt.h"
#include "relay/journal/journal.h"
#include "relay/queue/delivery.h"
#include "relay/queue/last_replies.h"
#include "relay/queue/message_cache.h"
#include "relay/smtp/transaction.h"
#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"
#include "relay/walk/acceptance.h"
#include "relay/walk/attempts.h"
#include "relay/walk/unknown_texts.h"
#include "relay/walk/walk.h"
#include "relay/walk/witness.h"

namespace relay {

class Settlement {
 public:
  struct Parts {  // all are borrowed but the configuration
    conf::ConfigPtr config;
    spool::Spool* spool = nullptr;
    journal::Journal* journal = nullptr;
    const spool::RelayClock* clock = nullptr;
    conf::Random* random = nullptr;
    queue::MessageCache* messages = nullptr;
    Attempts* attempts = nullptr;
    Acceptance* acceptance = nullptr;  // of reports, which are delivered like any message
    Walk* walk = nullptr;
    queue::LastReplies* last_replies = nullptr;
    queue::StreamTable* streams = nullptr;
  };
  explicit Settlement(Parts parts);

  // Applies the outcomes of one transaction (or of a local verdict). `delivery` is pinned.
  void apply(queue::Delivery* delivery, const std::vector<uint32_t>& recipients,
             const std::vector<smtp::RecipientOutcome>& outcomes, const AttemptFacts& facts);
  // Who hears each answer first; null: every answer is believed. Borrowed.
  void use(Witness* witness) { witness_ = witness; }
  // Nothing more comes for this attempt: stores the report that is due, if any, then calls Walk::settled() -
  // at once or later.
  void conclude(queue::Delivery* delivery);

  void reload(conf::ConfigPtr config) { config_ = std::move(config); }

 private:
  bool doubted(const queue::Delivery& delivery, uint32_t index, const smtp::RecipientOutcome& outcome,
               const AttemptFacts& facts, conf::WallTime now) const;
  void apply_one(queue::Delivery* delivery, uint32_t index, const smtp::RecipientOutcome& outcome,
                 const AttemptFacts& facts, conf::WallTime now, Verdicts* verdicts);
  void note_greylisting(queue::Delivery* delivery, spool::RecipientRecord* recipient,
                        const smtp::RecipientOutcome& outcome, const AttemptFacts& facts, bool first) const;
  void note_unknown(const conf::DeliveryEvent& event);
  struct Again {  // tried again then
    conf::WallTime due;
    bool step = false;  // of its schedule
  };
  std::optional<Again> again_after(queue::Delivery* delivery, const spool::RecipientRecord& recipient,
                                   const smtp::RecipientOutcome& outcome, const conf::RetrySchedule& schedule,
                                   conf::WallTime now);
  bool may_wait(queue::Delivery* delivery) const;
  void store_report(queue::Delivery* delivery);
  void finish(queue::Delivery* delivery);
  void postpone(queue::Delivery* delivery, const conf::Error& why);

  conf::ConfigPtr config_;
  spool::Spool* spool_;
  journal::Journal* journal_;
  const spool::RelayClock* clock_;
  conf::Random* random_;
  queue::MessageCache* messages_;
  Attempts* attempts_;
  Acceptance* acceptance_;
  Walk* walk_;
  queue::LastReplies* last_replies_;
  queue::StreamTable* streams_;
  Witness* witness_ = nullptr;
  UnknownTexts unknown_;
};

}  // namespace relay
