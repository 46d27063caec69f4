#include "relay/walk/notices.h"

#include <memory>
#include <string>
#include <utility>

#include "conf/standard_error.h"
#include "relay/walk/disk_retry.h"

namespace relay {

conf::WallTime Notices::calendar(conf::Instant moment) const {
  return clock_->today() + (moment - clock_->now());
}

void Notices::blocked(queue::Delivery* delivery, const queue::Path& path) {
  if (delivery->wait_told) return;
  delivery->wait_told = true;
  const conf::Instant until = path.blocked_until();
  journal::HeldBack by;
  by.site = path.site->label;
  by.source = path.source.name;
  if (path.rule != nullptr) by.mx_rule = path.rule->name;
  by.why = "the destination is blocked; see the block event of this site";
  if (until != conf::kNever) by.until = calendar(until);
  held_back(*delivery, std::move(by));
}

void Notices::paused(queue::Delivery* delivery, conf::Instant until) {
  if (delivery->wait_told) return;
  delivery->wait_told = true;
  journal::HeldBack by;
  by.why = "its stream is blocked by an operator; see the block event of stream \"" +
           streams_->name(delivery->stream) + '"';
  if (until != conf::kNever) by.until = calendar(until);
  held_back(*delivery, std::move(by));
}

void Notices::waits_for_path(queue::Delivery* delivery, const queue::PathError& error,
                             const AttemptFacts& facts, conf::Duration again) {
  delivery->wait_told = true;
  journal::HeldBack by;
  by.limit = conf::Bind::kBackOff;
  by.site = facts.site;
  by.source = facts.source;
  by.mx_rule = facts.mx_rule;
  by.why = "it waits for its path: " + error.reply.text();
  by.until = clock_->today() + again;
  held_back(*delivery, std::move(by));
}

void Notices::held_back(const queue::Delivery& delivery, journal::HeldBack by) {
  const conf::WallTime now = clock_->today();
  const conf::Domain& domain = domains_->name(delivery.domain);
  if (delivery.message == nullptr) {
    by.stream = streams_->name(delivery.stream);
    journal_->append(
        journal::held_back(delivery.id, nullptr, nullptr, domain.text(), by, delivery.attempt, now));
    return;
  }
  const spool::MessageRecord& record = delivery.message->record;
  for (const uint32_t index : delivery.message->of(domain)) {
    const spool::RecipientRecord& recipient = record.recipients[index];
    if (recipient.state != spool::RecipientState::kPending) continue;
    journal_->append(
        journal::held_back(delivery.id, &record, &recipient, domain.text(), by, delivery.attempt, now));
  }
}

void Notices::trouble(const queue::Path& path, const ServerTrouble& trouble) {
  journal_->append(journal::trouble(
      {trouble.stage, path.site->label, path.source.name, trouble.mx_host, trouble.mx_address, trouble.text},
      clock_->today()));
}

void Notices::fails(const queue::Path& path) {
  constexpr size_t kMostTold = 10'000;
  if (!path.health.failing() || !path.health.last_error().present()) return;
  if (path.health.last_error().stage == bounce::Stage::kLogin) return;  // said with the name of the login
  if (told_failures_.size() >= kMostTold) told_failures_.clear();
  conf::Instant& told = told_failures_[path.site->key + '\n' + path.source.name];
  if (told == path.health.sick_since()) return;
  told = path.health.sick_since();
  const queue::PathError& error = path.health.last_error();
  trouble(path, {error.stage, error.mx_host, error.mx_address,
                 "nothing can be sent there now, its mail waits: " + error.reply.text()});
}

void Notices::unreadable(const queue::Delivery& delivery, const conf::Error& why, bool gone) {
  conf::say(
      "message " + conf::to_text(delivery.id) + " cannot be read: " + why.detail +
      (gone ? std::string("; it leaves the queue") : std::string("; it is tried again ") + kDiskRetryText));
  if (gone)
    journal_->append(journal::lost(delivery.id, domains_->name(delivery.domain).text(), delivery.attempt,
                                   why.detail, clock_->today()));
}

void Notices::ordered(conf::DecisionAction action, const std::string& stream, const std::string& by,
                      conf::Instant until, const std::string& text) {
  auto told = std::make_shared<conf::SiteDecision>();
  told->action = action;
  told->by = by;
  told->ordered = true;
  if (until != conf::Instant{} && until != conf::kNever) told->until = calendar(until);
  told->text = text;
  conf::DeliveryEvent event = journal::decided(std::move(told), clock_->today());
  event.stream = stream;
  journal_->append(event);
}

void Notices::ordered(conf::QueueOrder order) {
  journal_->append(journal::queue_ordered(std::move(order), clock_->today()));
}

bool Notices::decided(const queue::Path& path, const mx::Decision& decision) {
  auto told = std::make_shared<conf::SiteDecision>();
  told->action = decision.action;
  if (path.rule != nullptr) {
    told->rule = path.rule->name;
    told->where = path.rule->place(decision.line);
  }
  told->by = decision.by;
  told->ordered = decision.ordered;
  told->site = path.site->label;
  told->source = path.source.name;
  told->messages = decision.messages;
  told->errors = decision.errors;
  told->share = decision.messages == 0
                    ? 0
                    : static_cast<double>(decision.errors) / static_cast<double>(decision.messages);
  if (decision.until != conf::Instant{} && decision.until != conf::kNever)
    told->until = calendar(decision.until);
  told->rate_per_hour = decision.rate_per_hour;
  told->rate_per_day = decision.rate_per_day;
  told->samples = decision.samples;
  told->text = decision.text;
  journal_->append(journal::decided(std::move(told), clock_->today()));
  using Action = mx::Decision::Action;
  return decision.action == Action::kBlock || decision.action == Action::kUnblock ||
         decision.action == Action::kReset;
}

}  // namespace relay
