#include "relay/walk/own_verdicts.h"

#include <optional>
#include <utility>

#include "relay/flow/meaning.h"
#include "relay/journal/events.h"

namespace relay {

using queue::Delivery;
using queue::DeliveryState;

std::vector<uint32_t> OwnVerdicts::due_recipients(const Delivery& delivery) const {
  const conf::WallTime now = parts_.clock->wall();
  const std::vector<spool::RecipientRecord>& all = delivery.message->record.recipients;
  std::vector<uint32_t> indices;
  for (const uint32_t i : delivery.message->of(parts_.domains->name(delivery.domain))) {
    if (all[i].state != spool::RecipientState::kPending) continue;
    if (parts_.attempts->has_verdict(delivery, i)) continue;  // by an earlier transaction of this attempt
    if (delivery.all_due || all[i].due <= now) indices.push_back(i);
  }
  return indices;
}

std::vector<uint32_t> OwnVerdicts::take_recipients_now(Delivery* delivery) {
  std::vector<uint32_t> indices = due_recipients(*delivery);
  delivery->all_due = false;
  if (parts_.veto != nullptr) take_out_vetoed(delivery, &indices);
  return indices;
}

bool OwnVerdicts::refuses_all(Delivery* delivery) {
  if (parts_.veto == nullptr || delivery->message == nullptr) return false;
  const spool::MessageRecord& record = delivery->message->record;
  const std::vector<uint32_t> due = due_recipients(*delivery);
  for (const uint32_t index : due) {
    if (!parts_.veto->refuses(record, record.recipients[index]).has_value()) return false;
  }
  return !due.empty() && take_recipients_now(delivery).empty();
}

conf::SettingsPtr OwnVerdicts::settings_for(const Delivery& delivery) const {
  if (delivery.path != nullptr) return delivery.path->settings;
  return parts_.routes->settings_of(&parts_.domains->at(delivery.domain));
}

void OwnVerdicts::take_out_vetoed(Delivery* delivery, std::vector<uint32_t>* indices) {
  const spool::MessageRecord& record = delivery->message->record;
  std::vector<uint32_t> left;
  for (const uint32_t index : *indices) {
    std::optional<Veto::Refusal> why = parts_.veto->refuses(record, record.recipients[index]);
    if (!why.has_value()) {
      left.push_back(index);
      continue;
    }
    parts_.veto->carried_out(record, record.recipients[index]);
    AttemptFacts facts;
    facts.settings = settings_for(*delivery);
    facts.notice = std::move(why->notice);
    parts_.settlement->apply(delivery, {index}, {refusal(bounce::Stage::kLocal, std::move(why->reply))},
                             facts);
  }
  *indices = std::move(left);
}

smtp::RecipientOutcome OwnVerdicts::refusal(bounce::Stage stage, bounce::Reply reply) const {
  smtp::RecipientOutcome outcome;
  outcome.kind = smtp::RecipientOutcome::Kind::kRefused;
  outcome.stage = stage;
  outcome.reply = std::move(reply);
  outcome.local = true;
  qualify(*parts_.qualifier, {}, &outcome);
  return outcome;
}

// Calls `then` when the delivery's record is in memory and pinned by it.
template <typename Then>
void OwnVerdicts::with_record(Delivery* delivery, Then then) {
  delivery->move_to(DeliveryState::kLoading);
  parts_.messages->pin(delivery->id, false,
                       [this, delivery, then = std::move(then)](conf::Result<queue::Message*> result) {
                         // One pin is enough: the new one.
                         if (delivery->message != nullptr)
                           parts_.messages->unpin(std::exchange(delivery->message, nullptr));
                         if (!result.ok()) {
                           parts_.walk->unreadable(delivery, result.error());
                           return;
                         }
                         delivery->message = *result;
                         then();
                       });
}

void OwnVerdicts::refuse(Delivery* delivery, bounce::Stage stage, bounce::Reply reply, AttemptFacts facts) {
  with_record(delivery, [this, delivery, stage, reply = std::move(reply), facts = std::move(facts)] {
    const std::vector<uint32_t> recipients = take_recipients_now(delivery);
    const std::vector<smtp::RecipientOutcome> outcomes(recipients.size(), refusal(stage, reply));
    parts_.settlement->apply(delivery, recipients, outcomes, facts);
    parts_.settlement->conclude(delivery);
  });
}

// RFC 3463 §3.5: delivery time expired.
void OwnVerdicts::expire(Delivery* delivery, const std::string& waited_for, AttemptFacts facts) {
  if (facts.settings == nullptr) facts.settings = settings_for(*delivery);
  refuse(delivery, bounce::Stage::kLocal,
         bounce::Reply::make(0, "4.4.7 it waited for " + waited_for + " until its validity was over"),
         std::move(facts));
}

void OwnVerdicts::fail(Delivery* delivery, const std::string& who) {
  with_record(delivery, [this, delivery, who] {
    delivery->all_due = true;
    const std::vector<uint32_t> recipients = take_recipients_now(delivery);
    // RFC 3463 §3.4: something of this mail system.
    smtp::RecipientOutcome outcome =
        refusal(bounce::Stage::kLocal,
                bounce::Reply::make(0, "5.3.0 the operator of this relay gave the message up"));
    outcome.meaning.type = conf::ErrorType::kIgnored;
    outcome.meaning.act = bounce::Act::kFail;
    outcome.meaning.reason = conf::Reason::kNotDefined;
    outcome.meaning.scope = conf::Scope::kRecipient;
    outcome.meaning.unread = false;
    outcome.meaning.rule = journal::operator_text(who);
    AttemptFacts facts;
    facts.settings = settings_for(*delivery);
    const std::vector<smtp::RecipientOutcome> outcomes(recipients.size(), outcome);
    parts_.settlement->apply(delivery, recipients, outcomes, facts);
    parts_.settlement->conclude(delivery);
  });
}

void OwnVerdicts::drop(Delivery* delivery, const std::string& who) {
  with_record(delivery, [this, delivery, who] {
    spool::MessageRecord& record = delivery->message->record;
    for (const uint32_t index : delivery->message->of(parts_.domains->name(delivery->domain))) {
      spool::RecipientRecord& recipient = record.recipients[index];
      if (recipient.state != spool::RecipientState::kPending) continue;
      recipient.state = spool::RecipientState::kDropped;
      delivery->changed = true;
      parts_.journal->append(journal::dropped(record, recipient, who, parts_.clock->today()));
    }
    parts_.walk->settled(delivery);
  });
}

}  // namespace relay
