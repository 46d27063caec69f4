#include "relay/walk/transit.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/journal/events.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::Delivery;
using queue::DeliveryState;

namespace {

constexpr conf::Duration kLogPatience = 1s;     // then the final state is written to the spool meanwhile
constexpr conf::Duration kSpoolRetry = 10min;   // a message could not be read
constexpr conf::Duration kLeastRouteTime = 1s;  // a route is used so long even when its TTL is less
constexpr conf::Duration kSweepPeriod = 100ms;  // of a part of the tables
constexpr conf::Duration kPausedLook = 200ms;   // whether the spool writes again
constexpr size_t kDuePerStep = 4096;

}  // namespace

Transit::Transit(Parts parts)
    : parts_(std::move(parts)),
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
      dispatcher_({parts_.config, &messages_, &sites_, &counters_.lease(), parts_.network, parts_.clock,
                   parts_.random, this}),
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
  delivery->state = DeliveryState::kScheduled;
  scheduled_.push(delivery);
}

void Transit::park(Delivery* delivery) {
  unpin(delivery);
  delivery->path = nullptr;
  delivery->state = DeliveryState::kHeld;
  ++held_;
}

// What is next for a delivery that nobody works on.
void Transit::advance(Delivery* delivery) {
  if (delivery->drop_wanted) {
    drop(delivery);
  } else if (delivery->hold_wanted) {
    delivery->hold_wanted = false;
    park(delivery);
  } else if (stopping_ || delivery->due > parts_.clock->now()) {
    schedule(delivery);
  } else {
    find_route(delivery);
  }
}

void Transit::refuse_locally(Delivery* delivery, bounce::Stage stage, bounce::Reply reply,
                             AttemptFacts facts) {
  delivery->state = DeliveryState::kLoading;
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
                  smtp::RecipientOutcome outcome;
                  outcome.kind = smtp::RecipientOutcome::Kind::kRefused;
                  outcome.stage = stage;
                  outcome.reply = reply;
                  outcome.local = true;
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
  return indices;
}

// What became of its recipients goes to the spool.
void Transit::write_down(Delivery* delivery) {
  if (std::exchange(delivery->changed, false))
    parts_.spool->update(delivery->message->record, recipients_of(*delivery));
}

bool Transit::ready_to_send(Delivery* delivery, std::function<void(conf::Status)> then) {
  return signing_.ready(delivery->message, std::move(then));
}

void Transit::not_ready(Delivery* delivery, const conf::Error& why, const AttemptFacts& facts) {
  AttemptFacts known = facts;
  if (known.settings == nullptr) {
    known.settings = settings_of(domains_.at(delivery->domain));
  }
  delivery->path = nullptr;
  refuse_locally(delivery, bounce::Stage::kLocal, bounce::Reply::make(451, "4.7.5 not signed: " + why.detail),
                 std::move(known));
}

void Transit::transaction_over(Delivery* delivery, const std::vector<uint32_t>& recipients,
                               const std::vector<smtp::RecipientOutcome>& outcomes,
                               const AttemptFacts& facts) {
  settlement_.apply(delivery, recipients, outcomes, facts);
}

void Transit::delivery_over(Delivery* delivery) { settlement_.conclude(delivery); }

void Transit::path_gave_up(Delivery* delivery, const queue::PathError& error, const AttemptFacts& facts) {
  bounce::Reply reply = error.reply;
  // A site that refuses us altogether says nothing about the recipient: it is deferred, whatever the class of
  // the reply.
  if (reply.permanent()) reply.code = 0;
  refuse_locally(delivery, error.stage, std::move(reply), facts);
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
      message->body.reset();
      finished_.push_back({parts_.journal->last(), delivery->id, message, now});
      delivery->message = nullptr;  // its pin goes on in `finished_`
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

// A message leaves the spool when its last event is in the log file, so that the log never misses a delivery.
// When the log cannot be written for a while, the final states go to the spool: a restart then does not
// deliver again.
void Transit::retire_finished(conf::Instant now) {
  const uint64_t written = parts_.journal->through();
  while (!finished_.empty() && finished_.front().sequence <= written) {
    Finished& first = finished_.front();
    parts_.spool->remove(first.id);
    if (first.message != nullptr) messages_.unpin(first.message);
    finished_.pop_front();
  }
  for (Finished& waiting : finished_) {
    if (waiting.since + kLogPatience > now) break;
    if (waiting.message == nullptr) continue;
    parts_.spool->update(waiting.message->record);
    messages_.unpin(std::exchange(waiting.message, nullptr));
  }
}

void Transit::step(conf::Instant now) {
  parts_.spool->drain_completions();
  signing_.step();
  retire_finished(now);
  if (!stopping_) {
    for (size_t i = 0; i < kDuePerStep; ++i) {
      Delivery* delivery = scheduled_.pop_due(now);
      if (delivery == nullptr) break;
      find_route(delivery);
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
}

conf::Instant Transit::next_wake() const {
  conf::Instant wake = std::min(dispatcher_.next_wake(), counters_.next_wake());
  if (dispatcher_.paused()) wake = std::min(wake, parts_.clock->now() + kPausedLook);
  if (!stopping_) wake = std::min(wake, scheduled_.next());
  if (!finished_.empty() && finished_.back().message != nullptr) {
    wake = std::min(wake, finished_.back().since + kLogPatience);
  }
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
  std::vector<Delivery*> ready;
  sites_.for_each([&ready](queue::Path* path) {
    path->ready.for_each([&ready](Delivery* delivery) { ready.push_back(delivery); });
  });
  for (Delivery* delivery : ready) {
    dispatcher_.remove(delivery);
    advance(delivery);
  }
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
  for (const Finished& waiting : finished_) {
    if (waiting.message != nullptr) parts_.spool->update(waiting.message->record);
  }
  deliveries_.for_each([this](Delivery* delivery) {  // settled in part, the report still being stored
    if (delivery->message != nullptr) write_down(delivery);
  });
  counters_.close();
  clock_keeper_.keep();
  parts_.spool->flush();
}

}  // namespace relay
