#include "relay/walk/transit.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/meaning.h"
#include "relay/journal/events.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::Delivery;
using queue::DeliveryState;

namespace {

constexpr conf::Duration kSpoolRetry = 10min;   // a message could not be read
constexpr conf::Duration kSweepPeriod = 100ms;  // of a part of the tables
constexpr conf::Duration kPausedLook = 200ms;   // whether the spool writes again
constexpr size_t kDuePerStep = 4096;
constexpr size_t kReroutedPerStep = 1024;  // some 2 us each

TransitParts with_defaults(TransitParts parts) {
  if (parts.qualifier == nullptr) parts.qualifier = bounce::Qualifier::shipped();
  return parts;
}

}  // namespace

Transit::Transit(TransitParts parts)
    : parts_(with_defaults(std::move(parts))),
      clock_keeper_(parts_.spool, parts_.clock, parts_.boot),
      clock_(clock_keeper_.clock()),
      messages_(parts_.spool, parts_.config->spool.body_memory_bytes),
      sites_(parts_.config, parts_.book, &clock_, parts_.random),
      counters_(parts_.spool, &sites_.limiters(), &clock_),
      router_({parts_.config->hostname, parts_.own_addresses, parts_.config->dns.ipv6,
               parts_.config->dns.allow_private_targets},
              parts_.resolver, parts_.random),
      settlement_(parts_.config, parts_.spool, parts_.journal, &clock_, parts_.random, this),
      signing_(parts_.config, parts_.signer, &messages_,
               [this](const queue::Message& message, const dkim::SignOutcome& outcome) {
                 report_unsigned(message, outcome);
               }),
      errands_(&messages_, &signing_, parts_.return_paths, this),
      retirement_(parts_.journal, parts_.spool, &messages_),
      dispatcher_({parts_.config, &messages_, &sites_, &counters_.lease(), parts_.network, parts_.clock,
                   parts_.random, this, parts_.qualifier,
                   [this](const queue::Path& path, const std::vector<mx::Decision>& decisions) {
                     decided(path, decisions);
                   },
                   [this](const queue::Path& path, const ServerTrouble& trouble) {
                     parts_.journal->append(
                         journal::trouble({trouble.stage, path.site->label, path.source.name, trouble.mx_host,
                                           trouble.mx_address, trouble.text},
                                          parts_.clock->wall()));
                   },
                   [this](queue::Path* path) { renew_route(path); }, parts_.secrets}),
      survey_(&sites_, &dispatcher_),
      started_(parts_.clock->now()),
      next_sweep_(started_ + kSweepPeriod) {
  counters_.on_renewed = [this] { dispatcher_.gate().lease_renewed(); };
}

Transit::~Transit() {
  stopping_ = true;
  dispatcher_.abandon();
}

void Transit::unpin(Delivery* delivery) {
  if (delivery->message == nullptr) return;
  messages_.unpin(std::exchange(delivery->message, nullptr));
}

void Transit::forget(Delivery* delivery) {
  unpin(delivery);
  domains_.release(delivery->domain);
  deliveries_.erase(delivery);
}

void Transit::schedule(Delivery* delivery) {
  unpin(delivery);
  delivery->path = nullptr;
  delivery->block_told = false;
  delivery->move_to(DeliveryState::kScheduled);
  scheduled_.push(delivery);
}

void Transit::park(Delivery* delivery) {
  unpin(delivery);
  delivery->path = nullptr;
  delivery->move_to(DeliveryState::kHeld);
  ++held_;
}

// What is next for a delivery, by its state: the walk from here. kReady goes on by itself: the dispatcher
// asks next_errand() for it (kLoading, then kSending) and answers with report(), which settles it.
void Transit::advance(Delivery* delivery) {
  if (delivery->drop_wanted) {
    drop(delivery);
    return;
  }
  if (std::exchange(delivery->hold_wanted, false)) {
    park(delivery);
    return;
  }
  const bool due = delivery->due <= parts_.clock->now();
  switch (delivery->state) {
    case DeliveryState::kNew:        // accepted, or found in the spool
    case DeliveryState::kScheduled:  // its time has come, or an operator said so
    case DeliveryState::kHeld:       // released
    case DeliveryState::kReady:      // taken out of its line: the configuration changed
    case DeliveryState::kLoading:    // refused by ourselves: no route, no time left, no signature
    case DeliveryState::kSending:    // all that could be tried was tried
    case DeliveryState::kSettling:   // the report about it is on disk
      if (stopping_ || !due) {
        schedule(delivery);
      } else {
        find_route(delivery);
      }
      return;
    case DeliveryState::kRouting:  // its domain has a route now, or has lost it again
      if (stopping_) {
        schedule(delivery);
      } else {
        follow(delivery, domains_.at(delivery->domain));
      }
      return;
  }
}

void Transit::refuse_locally(Delivery* delivery, bounce::Stage stage, bounce::Reply reply,
                             AttemptFacts facts) {
  delivery->move_to(DeliveryState::kLoading);
  messages_.pin(delivery->id, false,
                [this, delivery, stage, reply = std::move(reply),
                 facts = std::move(facts)](conf::Result<queue::Message*> result) {
                  if (!result.ok()) {
                    load_failed(delivery, result.error());
                    return;
                  }
                  unpin(delivery);  // one pin is enough: the new one
                  delivery->message = *result;
                  const std::vector<uint32_t> recipients = recipients_now(delivery);
                  const smtp::RecipientOutcome outcome = own_refusal(stage, reply);
                  settlement_.apply(delivery, recipients,
                                    std::vector<smtp::RecipientOutcome>(recipients.size(), outcome), facts);
                  settlement_.conclude(delivery);
                });
}

spool::RecipientSpan Transit::recipients_of(const Delivery& delivery) {
  return delivery.message->of(domains_.at(delivery.domain).name);
}

std::vector<uint32_t> Transit::recipients_now(Delivery* delivery) {
  const conf::WallTime now = clock_.wall();
  const std::vector<spool::RecipientRecord>& all = delivery->message->record.recipients;
  std::vector<uint32_t> indices;
  for (const uint32_t i : recipients_of(*delivery)) {
    if (all[i].state != spool::RecipientState::kPending) continue;
    if (delivery->all_due || all[i].due <= now) indices.push_back(i);
  }
  delivery->all_due = false;
  if (parts_.veto != nullptr) refuse_vetoed(delivery, &indices);
  return indices;
}

// What became of its recipients goes to the spool.
void Transit::write_down(Delivery* delivery) {
  if (std::exchange(delivery->changed, false))
    parts_.spool->update(delivery->message->record, recipients_of(*delivery));
}

// Settles those that the veto refuses, and takes them out of `indices`.
void Transit::refuse_vetoed(Delivery* delivery, std::vector<uint32_t>* indices) {
  const spool::MessageRecord& record = delivery->message->record;
  std::vector<uint32_t> refused;
  std::vector<smtp::RecipientOutcome> outcomes;
  std::erase_if(*indices, [&](uint32_t index) {
    std::optional<bounce::Reply> why = parts_.veto->refuses(record, record.recipients[index]);
    if (!why.has_value()) return false;
    refused.push_back(index);
    outcomes.push_back(own_refusal(bounce::Stage::kLocal, std::move(*why)));
    return true;
  });
  if (refused.empty()) return;
  AttemptFacts facts;
  facts.settings =
      delivery->path != nullptr ? delivery->path->settings : settings_of(domains_.at(delivery->domain));
  settlement_.apply(delivery, refused, outcomes, facts);
}

smtp::RecipientOutcome Transit::own_refusal(bounce::Stage stage, bounce::Reply reply) const {
  smtp::RecipientOutcome outcome;
  outcome.kind = smtp::RecipientOutcome::Kind::kRefused;
  outcome.stage = stage;
  outcome.reply = std::move(reply);
  outcome.local = true;
  qualify(*parts_.qualifier, {}, &outcome);
  return outcome;
}

void Transit::not_signed(Delivery* delivery, const conf::Error& why, const AttemptFacts& facts) {
  delivery->path = nullptr;
  refuse_locally(delivery, bounce::Stage::kLocal, bounce::Reply::make(451, "4.7.5 not signed: " + why.detail),
                 facts);
}

DispatcherUser::Answer Transit::next_errand(Delivery* delivery, const queue::Path& path,
                                            const ErrandTerms& terms, Errand* out, Later later) {
  return errands_.next(delivery, path, terms, out, std::move(later));
}

bool Transit::report(Delivery* delivery, Report report) {
  switch (report.kind) {
    case Report::Kind::kTransaction:
      settlement_.apply(delivery, report.recipients, report.outcomes, report.facts);
      if (errands_.has_more(delivery)) return true;
      settlement_.conclude(delivery);
      return false;
    case Report::Kind::kReleased:
      errands_.forget(delivery);
      settlement_.conclude(delivery);
      return false;
    case Report::Kind::kExpired:
      refuse_locally(
          delivery, bounce::Stage::kLocal,
          bounce::Reply::make(0, "4.4.7 it waited for its destination until its validity was over"),
          std::move(report.facts));
      return false;
  }
  return false;
}

void Transit::load_failed(Delivery* delivery, const conf::Error& why) {
  const bool gone = why.code == conf::ErrorCode::kCorrupt || why.code == conf::ErrorCode::kNotFound;
  std::fprintf(stderr, "penstock: message %s cannot be read: %s; %s\n", conf::to_text(delivery->id).c_str(),
               why.detail.c_str(), gone ? "it leaves the queue" : "it is tried again in 10 minutes");
  if (gone) {
    parts_.journal->append(journal::lost(delivery->id, domains_.at(delivery->domain).name.text(),
                                         delivery->attempt, why.detail, parts_.clock->wall()));
    forget(delivery);
    return;
  }
  delivery->due = parts_.clock->now() + kSpoolRetry;
  schedule(delivery);
}

void Transit::settled(Delivery* delivery) {
  queue::Message* message = delivery->message;
  conf::WallTime due = conf::WallTime::max();
  for (const uint32_t index : recipients_of(*delivery)) {
    const spool::RecipientRecord& recipient = message->record.recipients[index];
    if (recipient.state == spool::RecipientState::kPending) due = std::min(due, recipient.due);
  }
  const conf::Instant now = parts_.clock->now();
  if (due == conf::WallTime::max()) {
    const bool last = deliveries_.find(delivery->id) == delivery && delivery->sibling == nullptr;
    if (last && queue::all_final(message->record)) {
      retirement_.add(message, now);
      delivery->message = nullptr;  // its pin goes on there
    } else {
      write_down(delivery);
    }
    forget(delivery);
    return;
  }
  write_down(delivery);
  const conf::Duration wait = due - clock_.wall();
  const bool at_once = wait.count() <= 0 && delivery->path != nullptr;
  const bool ordered = delivery->drop_wanted || delivery->hold_wanted || stopping_;
  if (at_once && !ordered) {
    dispatcher_.add_first(delivery);
    return;
  }
  delivery->path = nullptr;
  delivery->due = now + std::max(wait, conf::Duration(0));
  advance(delivery);
}

void Transit::fetch_body(Delivery* delivery, std::function<void()> then) {
  messages_.pin(delivery->id, true, [this, then = std::move(then)](conf::Result<queue::Message*> result) {
    then();  // without it the report goes without the header of the message: better than none
    if (result.ok()) messages_.unpin(*result);
  });
}

void Transit::step(conf::Instant now) {
  parts_.spool->drain_completions();
  signing_.step();
  retirement_.step(now);
  if (is_reloading()) reload_some();
  if (!stopping_) {
    for (size_t i = 0; i < kDuePerStep; ++i) {
      Delivery* delivery = scheduled_.pop_due(now);
      if (delivery == nullptr) break;
      advance(delivery);
    }
  }
  dispatcher_.pause(!parts_.spool->recording());
  dispatcher_.step(now);
  counters_.step(now, dispatcher_.gate().wants_lease());
  if (now >= next_sweep_) {
    next_sweep_ = now + kSweepPeriod;
    sites_.sweep(now);
  }
  clock_keeper_.step(now, deliveries_.deliveries() > 0);
  publish(now);
}

conf::Instant Transit::next_wake() const {
  conf::Instant wake = std::min(dispatcher_.next_wake(), counters_.next_wake());
  if (dispatcher_.paused()) wake = std::min(wake, parts_.clock->now() + kPausedLook);
  if (!stopping_) wake = std::min(wake, scheduled_.next());
  wake = std::min(wake, retirement_.next_wake());
  if (is_reloading() || survey_.under_way()) wake = conf::Instant{};
  return wake;
}

void Transit::reload(conf::ConfigPtr config, mx::RuleBookPtr book) {
  parts_.config = std::move(config);
  parts_.book = std::move(book);
  messages_.set_budget(parts_.config->spool.body_memory_bytes);
  domains_.forget_routes();
  sites_.reload(parts_.config, parts_.book);
  settlement_.reload(parts_.config);
  signing_.reload(parts_.config);
  dispatcher_.reload(parts_.config);
  reloading_ = true;
  reload_some();  // all of it, when there is little
}

// All that stands ready there finds its way anew, in parts.
void Transit::reroute(queue::Path* path) {
  if (path->to_reroute == 0) to_reroute_.push_back(path);
  path->to_reroute = path->ready.size();
}

// The rest of a reload, in parts: the sites, and the deliveries that stand ready, which may belong elsewhere.
void Transit::reload_some() {
  if (reloading_) {
    reloading_ = sites_.reload_some([this](queue::Path* path) { reroute(path); });
  }
  for (size_t i = 0; i < kReroutedPerStep && !to_reroute_.empty(); ++i) {
    queue::Path* path = to_reroute_.front();
    Delivery* delivery = path->ready.oldest();
    if (path->to_reroute == 0 || delivery == nullptr) {
      path->to_reroute = 0;
      to_reroute_.pop_front();
      continue;
    }
    --path->to_reroute;
    dispatcher_.remove(delivery);
    advance(delivery);
  }
}

void Transit::use(std::shared_ptr<const bounce::Qualifier> qualifier) {
  parts_.qualifier = std::move(qualifier);
  dispatcher_.use(parts_.qualifier);
}

void Transit::stop() {
  stopping_ = true;
  dispatcher_.stop();
}

bool Transit::quiet() const { return dispatcher_.connections() == 0; }

std::vector<std::string> Transit::neglected() {
  std::vector<std::string> names;
  for (const queue::Path* path : dispatcher_.neglected())
    names.push_back(path->site->label + " from " + path->source.name);
  return names;
}

void Transit::close() {
  stopping_ = true;
  dispatcher_.abandon();
  retirement_.close();
  deliveries_.for_each([this](Delivery* delivery) {  // settled in part, the report still being stored
    if (delivery->message != nullptr) write_down(delivery);
  });
  counters_.close();
  clock_keeper_.keep();
  parts_.spool->flush();
}

}  // namespace relay
