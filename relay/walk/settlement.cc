#include "relay/walk/settlement.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "bounce/bare_name.h"
#include "conf/standard_error.h"
#include "conf/vocab/check.h"
#include "conf/vocab/utf8.h"
#include "relay/flow/meaning.h"
#include "relay/journal/events.h"
#include "relay/queue/retry.h"
#include "relay/walk/disk_retry.h"
#include "relay/walk/report_mail.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kKeptReplyOctets = 512;

// The pace of the path or the path itself is at fault, not the message: that takes no step of its schedule.
bool is_of_path(const smtp::RecipientOutcome& outcome) {
  if (outcome.local) return false;
  if (outcome.meaning.pace == bounce::Pace::kSlower) return true;
  // A session that breaks in the content may break by the content: whole contents follow the schedule.
  return outcome.reply.code == 0 && !outcome.uncertain && outcome.stage != bounce::Stage::kDot;
}

}  // namespace

Settlement::Settlement(Parts parts)
    : config_(std::move(parts.config)),
      spool_(parts.spool),
      journal_(parts.journal),
      clock_(parts.clock),
      random_(parts.random),
      messages_(parts.messages),
      attempts_(parts.attempts),
      acceptance_(parts.acceptance),
      walk_(parts.walk),
      last_replies_(parts.last_replies),
      streams_(parts.streams) {}

void Settlement::apply(queue::Delivery* delivery, const std::vector<uint32_t>& recipients,
                       const std::vector<smtp::RecipientOutcome>& outcomes, const AttemptFacts& facts) {
  CHECK(recipients.size() == outcomes.size() && delivery->message != nullptr);
  Verdicts verdicts;
  const conf::WallTime now = clock_->wall();
  for (size_t i = 0; i < recipients.size(); ++i) {
    if (outcomes[i].kind == smtp::RecipientOutcome::Kind::kNotTried) continue;  // its turn is still to come
    if (doubted(*delivery, recipients[i], outcomes[i], facts, now)) {
      smtp::RecipientOutcome soft = outcomes[i];
      soft.meaning.type = bounce::ErrorType::kSoft;
      if (soft.meaning.act == bounce::Act::kFail) soft.meaning.act = bounce::Act::kNone;
      apply_one(delivery, recipients[i], soft, facts, now, &verdicts);
    } else {
      apply_one(delivery, recipients[i], outcomes[i], facts, now, &verdicts);
    }
    delivery->changed = true;
  }
  attempts_->add_verdicts(*delivery, std::move(verdicts));
}

bool Settlement::doubted(const queue::Delivery& delivery, uint32_t index,
                         const smtp::RecipientOutcome& outcome, const AttemptFacts& facts,
                         conf::WallTime now) const {
  if (witness_ == nullptr || outcome.local || outcome.next_host) return false;
  const spool::MessageRecord& record = delivery.message->record;
  return witness_->doubts(record, record.recipients[index], outcome, facts, clock_->calendar(now));
}

void Settlement::apply_one(queue::Delivery* delivery, uint32_t index, const smtp::RecipientOutcome& outcome,
                           const AttemptFacts& facts, conf::WallTime now, Verdicts* verdicts) {
  using Kind = smtp::RecipientOutcome::Kind;
  spool::MessageRecord& record = delivery->message->record;
  spool::RecipientRecord& recipient = record.recipients[index];
  ++recipient.attempts;
  const bool first = !delivery->attempted;
  delivery->attempted = true;
  if (first && delivery->attempt < UINT16_MAX) ++delivery->attempt;
  delivery->attempt = std::max(delivery->attempt, recipient.attempts);
  conf::DeliveryEvent event = journal::attempted(record, recipient, outcome, facts, clock_->calendar(now));
  event.attempt = delivery->attempt;
  recipient.reply_code = event.reply_code;
  recipient.enhanced_status = event.enhanced_status;
  recipient.last_reply = conf::utf8_prefix(event.reply, kKeptReplyOctets);
  recipient.mx_host = facts.mx_host;

  if (outcome.kind == Kind::kDelivered || outcome.kind == Kind::kDeliveredNoDsn) {
    if (outcome.kind == Kind::kDeliveredNoDsn &&
        wants_report(record, recipient.recipient, bounce::DsnAction::kRelayed)) {
      verdicts->push_back(
          {index, spool::RecipientState::kDelivered, true, bounce::DsnAction::kRelayed, std::move(event)});
      return;
    }
    recipient.state = spool::RecipientState::kDelivered;
    journal_->append(event);
    return;
  }
  note_greylisting(delivery, &recipient, outcome, facts, first);
  if (outcome.meaning.unread) note_unknown(event);
  const bool hard = is_final(outcome);
  recipient.blamed = !outcome.local && outcome.meaning.type == bounce::ErrorType::kHard &&
                     outcome.meaning.scope == bounce::Scope::kRecipient;
  event.type = outcome.meaning.type;
  event.reason = outcome.meaning.reason;
  event.scope = outcome.meaning.scope;
  event.rule = outcome.meaning.rule;
  event.row = outcome.meaning.row;
  const std::optional<Again> again =
      hard ? std::nullopt : again_after(delivery, recipient, outcome, facts.settings->retry, now);
  if (again.has_value()) {
    const bool holds = outcome.meaning.act == bounce::Act::kHold;
    if (holds) recipient.held = delivery->hold_wanted = true;
    if (!again->step) --recipient.attempts;
    recipient.due = again->due;
    if (!holds) event.next_attempt = clock_->calendar(again->due);
    delivery->last_reply = last_replies_->number_of(
        event.reply_code, event.enhanced_status, bounce::without_bare_name(event.reply, outcome.local_part));
    journal_->append(event);
    return;
  }
  event.kind = hard ? conf::EventKind::kFailed : conf::EventKind::kExpired;
  const bool quiet = facts.notice != nullptr && facts.notice->suppression == conf::Suppression::kLogged;
  const bool report = facts.settings->failure_reports && !quiet &&
                      wants_report(record, recipient.recipient, bounce::DsnAction::kFailed);
  verdicts->push_back({index, hard ? spool::RecipientState::kFailed : spool::RecipientState::kExpired, report,
                       bounce::DsnAction::kFailed, std::move(event)});
}

// Most greylists know a message again by our address, sender and recipient: its first tries go from the same
// source. One that refuses for longer may always greylist that source, and another one is drawn, which has a
// second try too. Of several recipients one that was greylisted decides. `first`: of this attempt.
void Settlement::note_greylisting(queue::Delivery* delivery, spool::RecipientRecord* recipient,
                                  const smtp::RecipientOutcome& outcome, const AttemptFacts& facts,
                                  bool first) const {
  if (outcome.local || outcome.reply.code == 0) return;  // no answer: what the last one said holds
  constexpr auto kGreylisting = conf::PassingTrouble::kGreylisting;
  const bool greylisted = passing_trouble(outcome) == kGreylisting;
  const bool stays = greylisted && (queue::first_tries_last(facts.settings->retry, kGreylisting,
                                                            delivery->first_tries, recipient->attempts) ||
                                    recipient->greylisted_from != facts.source);
  recipient->greylisted_from = stays ? facts.source : std::string();
  if (stays || first) delivery->greylisted_from = streams_->source_number(recipient->greylisted_from);
}

void Settlement::note_unknown(const conf::DeliveryEvent& event) {
  const std::optional<uint32_t> count =
      unknown_.note(event.site, config_->replies.unknown_alarm, clock_->now());
  if (count) journal_->append(journal::unknown_texts(event, *count));
}

// Nothing: it is given up. `recipient` counts this attempt already.
std::optional<Settlement::Again> Settlement::again_after(queue::Delivery* delivery,
                                                         const spool::RecipientRecord& recipient,
                                                         const smtp::RecipientOutcome& outcome,
                                                         const conf::RetrySchedule& schedule,
                                                         conf::WallTime now) {
  const spool::MessageRecord& record = delivery->message->record;
  const bounce::Qualification& meaning = outcome.meaning;
  if (outcome.next_host) return Again{now, false};
  if (recipient.due > now) return Again{recipient.due, false};  // an operator said retry
  if (meaning.act == bounce::Act::kHold) return Again{now, false};
  if (meaning.act == bounce::Act::kDefer && now + meaning.act_for <= record.accepted_at + schedule.validity) {
    // A rule says when it is tried, and not how often from the same source.
    delivery->first_try_next |= passing_trouble(outcome) == conf::PassingTrouble::kGreylisting;
    return Again{now + meaning.act_for, false};
  }
  if (is_of_path(outcome)) {
    if (const auto soon = queue::short_delay(schedule, record.accepted_at, now, random_))
      return Again{now + *soon, false};
  }
  if (const std::optional<conf::PassingTrouble> passing = passing_trouble(outcome)) {
    if (const auto first = queue::first_delay(schedule, *passing, delivery->first_tries, recipient.attempts,
                                              record.accepted_at, now, random_)) {
      delivery->first_try_next = true;
      return Again{now + *first, false};
    }
  }
  const auto delay =
      queue::next_delay(schedule, recipient.attempts, meaning.reason, record.accepted_at, now, random_);
  if (!delay) return std::nullopt;
  return Again{now + *delay, true};
}

void Settlement::conclude(queue::Delivery* delivery) {
  if (delivery->first_try_next && delivery->first_tries < UINT8_MAX) ++delivery->first_tries;
  delivery->first_try_next = delivery->attempted = false;
  const Verdicts& verdicts = attempts_->verdicts(*delivery);
  if (verdicts.empty()) {
    walk_->settled(delivery);
    return;
  }
  const bool report = std::ranges::any_of(verdicts, [](const Verdict& verdict) { return verdict.report; });
  if (report) {
    delivery->move_to(queue::DeliveryState::kSettling);
    delivery->path = nullptr;  // the path may be forgotten meanwhile
    if (delivery->message->body.has_value()) {
      store_report(delivery);
    } else {
      messages_->pin(delivery->id, true, [this, delivery](conf::Result<queue::Message*> result) {
        if (!result.ok() && result.error().code == conf::ErrorCode::kIo && may_wait(delivery)) {
          postpone(delivery, result.error());
          return;
        }
        store_report(delivery);  // of what is damaged: without the header of the message
        if (result.ok()) messages_->unpin(*result);
      });
    }
  } else {
    finish(delivery);
  }
}

// Until its time is over; a read that fails may pass.
bool Settlement::may_wait(queue::Delivery* delivery) const {
  return std::ranges::none_of(attempts_->verdicts(*delivery), [](const Verdict& verdict) {
    return verdict.state == spool::RecipientState::kExpired;
  });
}

void Settlement::store_report(queue::Delivery* delivery) {
  const Verdicts& verdicts = attempts_->verdicts(*delivery);
  const spool::MessageRecord& about = delivery->message->record;
  std::vector<ReportLine> lines;
  for (const Verdict& verdict : verdicts) {
    if (!verdict.report) continue;
    ReportLine line;
    line.recipient = verdict.recipient;
    line.action = verdict.action;
    line.expired = verdict.state == spool::RecipientState::kExpired;
    lines.push_back(line);
  }
  ReportMail mail = write_report(about, delivery->message->body.view(), lines, *config_, *clock_,
                                 spool_->next_id(clock_->wall()));
  auto kept = std::make_shared<spool::MessageRecord>(mail.record);
  spool_->store(std::move(mail.record), mail.body,
                [this, delivery, kept, body = mail.body](conf::Result<spool::Receipt> stored) {
                  if (!stored.ok()) {
                    postpone(delivery, stored.error());
                    return;
                  }
                  finish(delivery);
                  journal_->append(journal::report_sent(*kept, clock_->today()));  // after what it is about
                  acceptance_->take(std::move(*kept), body);
                });
}

void Settlement::finish(queue::Delivery* delivery) {
  const Verdicts verdicts = attempts_->take_verdicts(*delivery);
  delivery->changed = true;
  for (const Verdict& verdict : verdicts) {
    delivery->message->record.recipients[verdict.recipient].state = verdict.state;
    journal_->append(verdict.event);
  }
  walk_->settled(delivery);
}

// The report about a failure could not be stored, or its message not be read (the disk is full or fails): the
// recipients stay pending and are tried again soon, so that the sender hears of them after all. What was
// delivered stays delivered: its report is given up.
void Settlement::postpone(queue::Delivery* delivery, const conf::Error& why) {
  Verdicts verdicts = attempts_->take_verdicts(*delivery);
  delivery->changed = true;
  conf::say("message " + conf::to_text(delivery->id) + ": the report about it could not be made (" +
            why.detail + "); its failed recipients are tried again " + kDiskRetryText);
  for (Verdict& verdict : verdicts) {
    spool::RecipientRecord& recipient = delivery->message->record.recipients[verdict.recipient];
    if (verdict.state == spool::RecipientState::kDelivered) {
      recipient.state = verdict.state;
    } else {
      --recipient.attempts;  // the disk's fault takes no step of its schedule
      recipient.due = clock_->wall() + kDiskRetry;
      verdict.event.kind = conf::EventKind::kDeferred;
      verdict.event.next_attempt = clock_->calendar(recipient.due);
    }
    journal_->append(verdict.event);
  }
  walk_->settled(delivery);
}

}  // namespace relay
