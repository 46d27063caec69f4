// One constructor for each event: the only place where the fields of an event are filled. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "conf/vocab/event.h"
#include "relay/journal/attempt.h"
#include "relay/smtp/transaction.h"
#include "relay/spool/spool.h"

namespace relay::journal {

// A message is on disk, for so many recipients: what the client was told with 250.
conf::DeliveryEvent accepted(const spool::MessageRecord& record, conf::WallTime now);

// One attempt for one recipient. The kind is kDelivered or, for a refusal, kDeferred: whoever settles it says
// what the refusal comes to.
conf::DeliveryEvent attempted(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                              const smtp::RecipientOutcome& outcome, const AttemptFacts& facts,
                              conf::WallTime now);

// Held back without an attempt, by a block of its destination until then (the epoch: until an operator says
// so).
struct HeldBack {
  conf::Bind limit = conf::Bind::kBlocked;
  std::string site, source, mx_rule, stream;
  std::string why;
  conf::WallTime until;
};
// `recipient` may be null: then the event is about all recipients at `domain`, whose record is not in memory.
conf::DeliveryEvent held_back(conf::MessageId id, const spool::MessageRecord* record,
                              const spool::RecipientRecord* recipient, const std::string& domain,
                              const HeldBack& by, uint32_t attempt, conf::WallTime now);
// A deferral of mail that was not tried: a block holds it, say. Where its path fails it was tried.
bool is_held_back(const conf::DeliveryEvent& event);

// Who gave an order, as decisions and rules name him: "operator anna"; `who` "" (not known): "operator".
std::string operator_text(const std::string& who);

// An operator ended the recipient: `who` ("": not known).
conf::DeliveryEvent dropped(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                            const std::string& who, conf::WallTime now);

// A report of ours is on disk.
conf::DeliveryEvent report_sent(const spool::MessageRecord& report, conf::WallTime now);

// The recipient was final before the restart, and its last event may not be in the log.
conf::DeliveryEvent ended_before_restart(const spool::MessageRecord& record,
                                         const spool::RecipientRecord& recipient, conf::WallTime now);

// No signature could be made; `alarm`: one was made that does not verify.
conf::DeliveryEvent unsigned_mail(const spool::MessageRecord& record, bool alarm, const std::string& why,
                                  conf::WallTime now);

// The message left the queue without an end of its recipients: its record cannot be read any more.
conf::DeliveryEvent lost(conf::MessageId id, const std::string& domain, uint32_t attempt,
                         const std::string& why, conf::WallTime now);

conf::DeliveryEvent decided(std::shared_ptr<const conf::SiteDecision> decision, conf::WallTime now);

// Something is wrong with a server of a site.
struct ServerTrouble {
  conf::Stage stage = conf::Stage::kNone;
  std::string site, source, mx_host, mx_address;
  std::string text;
};
conf::DeliveryEvent trouble(ServerTrouble about, conf::WallTime now);

// A recipient that may not be written to: refused at RCPT, or taken out of a message of ours.
conf::DeliveryEvent suppressed(const conf::Envelope& envelope, const conf::Recipient& recipient,
                               conf::AddressNotice notice, conf::Reason reason, std::string why,
                               conf::WallTime now);
conf::DeliveryEvent suppressed(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                               conf::AddressNotice notice, conf::Reason reason, std::string why,
                               conf::WallTime now);
// An address has a new status; a site is in a wave of the outage guard.
conf::DeliveryEvent address_moved(const std::string& address, conf::AddressNotice notice, conf::Reason reason,
                                  conf::WallTime now);
conf::DeliveryEvent wave_declared(const std::string& site, conf::AddressNotice notice, std::string why,
                                  conf::WallTime now);

// So many refusals of the site of `last`, within an hour, have texts that no rule reads; it is the latest.
conf::DeliveryEvent unknown_texts(const conf::DeliveryEvent& last, uint32_t count);
// A client was refused, or many alike.
conf::DeliveryEvent refused_client(conf::DoorEvent door, conf::WallTime now);
// `order.by` as operator_text() has it.
conf::DeliveryEvent queue_ordered(conf::QueueOrder order, conf::WallTime now);

}  // namespace relay::journal
