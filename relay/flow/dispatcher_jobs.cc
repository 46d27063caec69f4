// The dispatcher's jobs: which delivery a connection works on, from the moment it takes it until all that
// could be tried was tried.
#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/forecast.h"
#include "relay/flow/meaning.h"

namespace relay {

namespace {

constexpr auto kExpiry = queue::ReadyQueue::Purpose::kExpiry;
constexpr conf::Duration kExpiryRound = std::chrono::minutes(1);
constexpr size_t kGiveUpChunk = 256;    // deliveries that end per path and step: each needs its record
constexpr size_t kTakesPerStep = 64;    // of deliveries that turn out to have nothing to send
constexpr size_t kLooksPerStep = 4096;  // at deliveries whose validity may be over: 20 ns each

conf::Duration zero_if_negative(conf::Duration d) { return std::max(d, conf::Duration(0)); }

}  // namespace

mx::Admission Dispatcher::may_send(const Slot& slot) const {
  if (paused_) return mx::Admission::no(mx::Bind::kRecording, conf::kNever);
  if (slot.most_messages != 0 && slot.connection->transactions() >= slot.most_messages)
    return mx::Admission::no(mx::Bind::kPerConnection, conf::kNever);
  return gate_.may_send(*slot.connection->path(), slot.use, slot.connection->transactions(), clock_->now());
}

bool Dispatcher::may_begin(queue::Path* path, conf::Instant now) {
  const bool over_idle = std::ranges::any_of(path->idle, [this](OutboundConnection* connection) {
    return connection->idle() && may_send(connections_.at(connection)).yes;
  });
  if (over_idle || connections_.size() >= config_->max_outbound_connections) return over_idle;
  std::vector<mx::Admission> refusals;
  uint32_t budget = 0;
  return !targets_for(path, &refusals, &budget, now).empty();
}

mx::Admission Dispatcher::next_message(const queue::Path& path) const {
  if (paused_) return mx::Admission::no(mx::Bind::kRecording, conf::kNever);
  Forecast forecast;
  forecast.relay_full = connections_.size() >= config_->max_outbound_connections;
  for (OutboundConnection* connection : path.idle) {
    const auto slot = connections_.find(connection);
    if (connection->idle()) forecast.resting.push_back({&slot->second.use, connection->transactions()});
  }
  return forecast.next(path, gate_.lease(), clock_->now());
}

std::vector<const queue::Path*> Dispatcher::neglected() {
  std::vector<const queue::Path*> paths;
  if (stopping_ || paused_) return paths;
  sites_->for_each([&](queue::Path* path) {
    const SharedLine* line = path->shared.get();
    const bool works =
        line == nullptr ? path->connections > path->idle.size() : line->connections > line->resting.size();
    if (!path->ready.empty() && !works && may_begin(path, clock_->now())) paths.push_back(path);
  });
  return paths;
}

void Dispatcher::rest(Slot& slot) {
  OutboundConnection* connection = slot.connection.get();
  lines_.rests(connection);
  connection->rest(connection->path()->settings->timeouts.idle);
}

// False: the connection quits, or waits for a limit.
bool Dispatcher::may_take(Slot& slot) {
  OutboundConnection* connection = slot.connection.get();
  const mx::Admission admission = may_send(slot);
  const bool done = admission.bind == mx::Bind::kPerConnection ||
                    PathGate::is_surplus(slot.use, clock_->now()) ||
                    is_worse_than_needed(*connection, clock_->now());
  if (stopping_ || done) {
    connection->quit();
    return false;
  }
  if (admission.yes) return true;
  rest(slot);
  mark(connection->path());
  return false;
}

void Dispatcher::take_next(Slot& slot) {
  queue::Path* path = slot.connection->path();
  if (!may_take(slot)) return;
  if (path->shared != nullptr && path->shared->contended(*path)) {  // it is not for this path alone to say
    rest(slot);
    return;
  }
  take(slot, std::nullopt);
}

// In a loop, and not by one delivery's end taking the next one: of those in line none may be due.
void Dispatcher::take(Slot& slot, std::optional<uint32_t> sender) {
  OutboundConnection* connection = slot.connection.get();
  queue::Path* path = connection->path();
  for (size_t i = 0; i < kTakesPerStep; ++i) {
    if (may_send(slot).bind == mx::Bind::kPerConnection) return connection->quit();
    if (i > 0 && !may_take(slot)) return;
    queue::Delivery* delivery = sender ? path->ready.pop_front_of(*sender) : path->ready.pop_front();
    if (delivery == nullptr) break;
    if (path->shared != nullptr) path->shared->served(delivery->sender, *path);
    lines_.left(path, *delivery, clock_->now());
    --ready_;
    if (begin(slot, delivery)) return;
  }
  rest(slot);
  if (!path->ready.empty()) mark(path);
}

bool Dispatcher::begin(Slot& slot, queue::Delivery* delivery) {
  ++jobs_;
  delivery->move_to(queue::DeliveryState::kLoading);
  slot.job = {};
  slot.job.delivery = delivery;
  slot.job.picked_up = clock_->now();
  return ask(slot);
}

bool Dispatcher::ask(Slot& slot) {
  OutboundConnection* connection = slot.connection.get();
  queue::Delivery* delivery = slot.job.delivery;
  const Target& target = connection->target();
  size_t most = connection->path()->settings->max_recipients_per_transaction;
  const uint32_t learnt = peers_.about(target.address, target.port, clock_->now()).recipients_per_transaction;
  if (learnt != 0) most = std::min<size_t>(most, learnt);
  Errand errand;
  const DispatcherUser::Answer answer =
      user_->next_errand(delivery, *connection->path(), {most, !connection->takes_eight_bit()}, &errand,
                         [this, number = slot.number, connection, delivery](std::optional<Errand> found) {
                           answered(number, connection, delivery, std::move(found));
                         });
  switch (answer) {
    case DispatcherUser::Answer::kNow:
      return send(slot, std::move(errand));
    case DispatcherUser::Answer::kLater:
      slot.job.waiting = true;
      connection->stay();
      return true;
    case DispatcherUser::Answer::kNone:
      break;
  }
  slot.job = {};
  --jobs_;
  return false;
}

void Dispatcher::answered(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                          std::optional<Errand> errand) {
  const auto found = connections_.find(connection);
  const bool here = found != connections_.end() && found->second.number == number;
  if (here && errand.has_value()) {
    found->second.job.waiting = false;
    if (!send(found->second, std::move(*errand))) take_next(found->second);
    return;
  }
  --jobs_;
  if (errand.has_value()) {  // the connection went meanwhile
    user_->report(delivery, {});
    return;
  }
  if (!here) return;
  found->second.job = {};
  take_next(found->second);
}

bool Dispatcher::send(Slot& slot, Errand errand) {
  if (stopping_ || !may_send(slot).yes) {  // what was free when the delivery was picked up is taken by now
    release(slot);
    return false;
  }
  slot.job.recipients = std::move(errand.recipients);
  slot.job.domain = errand.transaction.recipients.front().mailbox.domain.text();
  slot.job.began = clock_->now();
  gate_.charge(&slot.use, slot.job.began);
  slot.connection->send(std::move(errand.transaction));
  return true;
}

void Dispatcher::release(Slot& slot) {
  queue::Delivery* delivery = slot.job.delivery;
  slot.job = {};
  --jobs_;
  user_->report(delivery, {});
}

AttemptFacts Dispatcher::facts_of(const Slot& slot) const {
  const OutboundConnection& connection = *slot.connection;
  const queue::Path* path = connection.path();
  AttemptFacts facts;
  facts.settings = path->settings;
  facts.site = path->site->label;
  facts.mx_host = connection.target().host;
  facts.mx_address = address_text(connection.target());
  facts.source = path->source.name;
  facts.tls = connection.tls_version();
  facts.delays.dns = conf::Duration(slot.job.delivery->dns_micros);
  facts.delays.queue = zero_if_negative(slot.job.picked_up - slot.job.delivery->due);
  facts.delays.connect = connection.transactions() > 1 ? conf::Duration(0) : connection.connect_time();
  facts.delays.transaction = clock_->now() - slot.job.began;
  return facts;
}

void Dispatcher::transaction_done(OutboundConnection* connection,
                                  std::vector<smtp::RecipientOutcome> outcomes) {
  Slot& slot = connections_.at(connection);
  Job& job = slot.job;
  CHECK(job.delivery != nullptr && outcomes.size() == job.recipients.size());
  queue::Path* path = connection->path();
  learn(*connection, connection->target());
  bound_free_tries(job.delivery, &outcomes);
  const Meeting here{connection->target().host, job.domain, path->source.name};
  for (smtp::RecipientOutcome& outcome : outcomes) qualify(&texts_, here, &outcome);
  gate_.feed_back(path, &slot.use, outcomes, clock_->now());
  obey(*connection, &outcomes, clock_->now());
  try_next_host(*connection, job.delivery, &outcomes);
  // The replies may have opened the window, or ended the probes: more connections may be allowed by now.
  if (path->shared != nullptr || (path->binds != mx::Bind::kNothing && path->binds_until == conf::kNever))
    mark(path);
  if (std::ranges::any_of(outcomes, [](const auto& each) { return each.reply.code != 0 && !each.local; }))
    path->breaks = 0;
  Report report;
  report.kind = Report::Kind::kTransaction;
  report.recipients = std::move(job.recipients);
  report.outcomes = std::move(outcomes);
  report.facts = facts_of(slot);
  job.recipients.clear();
  if (user_->report(job.delivery, std::move(report))) return;
  slot.job = {};
  --jobs_;
}

AttemptFacts Dispatcher::waiting_facts(const queue::Path& path, const queue::Delivery& delivery,
                                       conf::Instant now) const {
  AttemptFacts facts;
  facts.settings = path.settings;
  facts.site = path.site->label;
  facts.source = path.source.name;
  facts.mx_host = path.last_error.mx_host;
  facts.mx_address = path.last_error.mx_address;
  facts.delays.dns = conf::Duration(delivery.dns_micros);
  facts.delays.queue = zero_if_negative(now - delivery.due);
  return facts;
}

// Goes over all that waits in order of arrival, a part in each step, and hence not oftener than once a minute
// for a path: 1,000,000 deliveries that expire together cost one round, not one for each part.
void Dispatcher::expire_waiting(queue::Path* path, conf::Instant now) {
  if (!path->ready.rounding(kExpiry)) {
    path->ready.begin_round(kExpiry);
    path->first_expiry = conf::kNever;
  }
  for (size_t i = 0, over = 0; i < kLooksPerStep; ++i) {
    if (over == kGiveUpChunk || messages_->loading() >= 2 * kGiveUpChunk) break;
    queue::Delivery* delivery = path->ready.next_of_round(kExpiry);
    if (delivery == nullptr) break;
    const conf::Instant expiry = user_->expiry(*delivery, *path->settings);
    if (expiry > now) {
      path->first_expiry = std::min(path->first_expiry, std::max(expiry, now + kExpiryRound));
      if (path->failing() || path->stumbles) tell_long_wait(path, delivery, now);
      continue;
    }
    ++over;
    path->ready.erase(delivery);
    lines_.left(path, *delivery, now);
    --ready_;
    Report report;
    report.kind = Report::Kind::kExpired;
    report.facts = waiting_facts(*path, *delivery, now);
    delivery->path = nullptr;
    user_->report(delivery, std::move(report));
  }
}

// How long mail waits for its path before that is told. The first round over the hosts may still come to a
// good end.
conf::Duration Dispatcher::patience(const queue::Path& path) const {
  return config_->ready_limit + (path.failing() ? conf::Duration(0) : path.settings->timeouts.connect);
}

// Its path fails: said once in the log.
void Dispatcher::tell_long_wait(queue::Path* path, queue::Delivery* delivery, conf::Instant now) {
  const conf::Instant at = delivery->due + patience(*path);
  if (delivery->block_told) return;
  if (at <= now) return user_->waits_long(delivery, path->last_error, waiting_facts(*path, *delivery, now));
  path->first_expiry = std::min(path->first_expiry, std::max(at, now + kExpiryRound));
}

}  // namespace relay
