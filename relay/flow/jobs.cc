#include "relay/flow/jobs.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/site_table.h"

namespace relay {

namespace {

constexpr size_t kTakesPerStep = 64;  // of deliveries that turn out to have nothing to send

}  // namespace

void Jobs::use_resting(queue::Path* path, conf::Instant now) {
  if (path->holds.lacks_memory(now)) return parts_.gate->wait(path, path->next_held(now));
  const bool one_answer = PathGate::has_one_answer(*path);
  for (size_t i = path->connections.idle().size(); i-- > 0 && !path->ready.empty();) {
    OutboundConnection* connection = path->connections.idle()[i];
    Slot& slot = parts_.connections->at(connection);
    if (!connection->idle()) {  // it rested long enough and is saying QUIT
      parts_.connections->rests_no_more(connection);
      continue;
    }
    const mx::Admission admission = parts_.connections->may_send(slot);
    const bool ends = admission.bind == mx::Bind::kPerConnection || is_done(slot);
    if (!ends && !admission.yes) {
      parts_.gate->wait(path, admission);
      if (one_answer) return;
      continue;
    }
    parts_.connections->rests_no_more(connection);
    if (ends || gives_way(slot, now)) {
      connection->quit();
    } else {
      take(&slot, std::nullopt);
    }
    i = std::min(i, path->connections.idle().size());  // it may rest again
  }
}

void Jobs::end_outdated(queue::Path* path) {
  const std::vector<OutboundConnection*> resting = path->connections.idle();
  for (OutboundConnection* connection : resting) {
    const Slot& slot = parts_.connections->at(connection);
    if (!connection->idle() || slot.job.delivery != nullptr || slot.use.counted == path->counters.version)
      continue;
    parts_.connections->rests_no_more(connection);
    connection->quit();
  }
}

// Whatever the limits say: it takes no more.
bool Jobs::is_done(const Slot& slot) const {
  const conf::Instant now = parts_.flow->now();
  return parts_.flow->stopping || PathGate::is_surplus(*slot.connection->path(), slot.use, now) ||
         parts_.hosts->is_worse_than_needed(*slot.connection, now);
}

bool Jobs::may_take(Slot* slot) {
  OutboundConnection* connection = slot->connection.get();
  const mx::Admission admission = parts_.connections->may_send(*slot);
  if (admission.bind == mx::Bind::kPerConnection || is_done(*slot) || gives_way(*slot, parts_.flow->now())) {
    connection->quit();
    return false;
  }
  queue::Path* path = connection->path();
  if (admission.yes && !path->holds.lacks_memory(parts_.flow->now())) return true;
  // Where many paths take turns, the next message may be another's.
  const bool its_own = !path->ready.empty() && path->shared.line == nullptr;
  const conf::Instant until = admission.yes ? path->holds.memory_until() : admission.not_before;
  parts_.connections->rest(slot, its_own ? until : conf::kNever);
  parts_.work->mark(path);
  return false;
}

// To another path that waits for a connection of the same counters: a host that both have.
bool Jobs::gives_way(const Slot& slot, conf::Instant now) {
  const OutboundConnection& connection = *slot.connection;
  if (!parts_.gate->is_wanted(*connection.path(), slot.use)) return false;
  if (!connection.path()->ready.empty() && !had_its_time(connection, now)) return false;
  parts_.gate->makes_room(slot.use);
  return true;
}

void Jobs::take_next(Slot* slot) {
  const queue::Path* path = slot->connection->path();
  if (!may_take(slot)) return;
  if (path->shared.line != nullptr && path->shared.line->contended(*path))
    return parts_.connections->rest(slot);
  take(slot, std::nullopt);
}

// In a loop, and not by one delivery's end taking the next one: of those in line none may be due.
void Jobs::take(Slot* slot, std::optional<uint32_t> sender) {
  OutboundConnection* connection = slot->connection.get();
  queue::Path* path = connection->path();
  for (size_t i = 0; i < kTakesPerStep; ++i) {
    if (i > 0 && !may_take(slot)) return;
    queue::Delivery* delivery = parts_.mail->take(path, sender);
    if (delivery == nullptr) break;
    if (begin(slot, delivery)) return;
  }
  parts_.connections->rest(slot);
  if (!path->ready.empty()) parts_.work->mark(path);
}

void Jobs::go_on(Slot* slot) {
  if (slot->job.delivery != nullptr) {  // more recipients than one transaction takes
    if (parts_.flow->stopping || !parts_.connections->may_send(*slot).yes) {
      release(slot);  // the rest over another connection, or when the limits allow
    } else if (ask(slot)) {
      return;
    }
  }
  take_next(slot);
}

bool Jobs::begin(Slot* slot, queue::Delivery* delivery) {
  ++running_;
  delivery->move_to(queue::DeliveryState::kLoading);
  slot->job = {};
  slot->job.delivery = delivery;
  slot->job.picked_up = parts_.flow->now();
  return ask(slot);
}

bool Jobs::ask(Slot* slot) {
  OutboundConnection* connection = slot->connection.get();
  queue::Delivery* delivery = slot->job.delivery;
  size_t most = connection->path()->settings->max_recipients_per_transaction;
  const uint32_t learnt =
      parts_.hosts->about(connection->target(), parts_.flow->now()).recipients_per_transaction;
  if (learnt != 0) most = std::min<size_t>(most, learnt);
  Errand errand;
  const DispatcherUser::Answer answer = parts_.user->next_errand(
      delivery, *connection->path(), {most, !connection->takes_eight_bit(), !connection->takes_utf8()},
      &errand, [this, number = slot->number, connection, delivery](std::optional<Errand> found) {
        answered(number, connection, delivery, std::move(found));
      });
  switch (answer) {
    case DispatcherUser::Answer::kNow:
      send(slot, std::move(errand));
      return true;
    case DispatcherUser::Answer::kLater:
      slot->job.waiting = true;
      connection->stay();
      return true;
    case DispatcherUser::Answer::kNone:
      break;
  }
  forget(slot);
  return false;
}

void Jobs::answered(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                    std::optional<Errand> errand) {
  Slot* slot = parts_.connections->find(connection, number);
  if (slot != nullptr && !connection->idle()) {  // its session ended, and its stream is being closed
    slot->job.waiting = false;
    return errand.has_value() ? release(slot) : forget(slot);
  }
  if (slot != nullptr && errand.has_value()) {
    slot->job.waiting = false;
    // What was free when the delivery was picked up may be taken by now.
    if (!parts_.flow->stopping && parts_.connections->may_send(*slot).yes)
      return send(slot, std::move(*errand));
    release(slot);
    return take_next(slot);
  }
  if (slot != nullptr) {
    forget(slot);
    return take_next(slot);
  }
  --running_;  // the connection went meanwhile
  if (errand.has_value()) parts_.user->report(delivery, {});
}

void Jobs::send(Slot* slot, Errand errand) {
  slot->job.recipients = std::move(errand.recipients);
  slot->job.domain = errand.transaction.recipients.front().mailbox.domain.text();
  slot->job.began = parts_.flow->now();
  parts_.gate->charge(&slot->use, slot->job.began);
  if (PathGate::is_shared(slot->use)) slot->connection->path()->work.let_others_first();
  slot->connection->send(std::move(errand.transaction));
}

void Jobs::report(Slot* slot, std::vector<smtp::RecipientOutcome> outcomes) {
  Job& job = slot->job;
  parts_.connections->note_silence(job.delivery, conf::Stage::kNone);
  CHECK(job.delivery != nullptr && outcomes.size() == job.recipients.size());
  Report report;
  report.kind = Report::Kind::kTransaction;
  report.recipients = std::move(job.recipients);
  report.outcomes = std::move(outcomes);
  report.facts = facts_of(*slot);
  job.recipients.clear();
  if (!parts_.user->report(job.delivery, std::move(report))) forget(slot);
}

void Jobs::drop(Slot* slot) {
  if (slot->job.delivery == nullptr) return;
  if (!slot->job.waiting) return release(slot);
  slot->job.delivery->path = nullptr;  // answered() brings it back; the path may be gone by then
}

void Jobs::release(Slot* slot) {
  queue::Delivery* delivery = slot->job.delivery;
  forget(slot);
  parts_.user->report(delivery, {});
}

void Jobs::forget(Slot* slot) {
  parts_.connections->note_silence(slot->job.delivery, conf::Stage::kNone);
  slot->job = {};
  --running_;
}

AttemptFacts Jobs::facts_of(const Slot& slot) const {
  const OutboundConnection& connection = *slot.connection;
  AttemptFacts facts = facts_of_path(*connection.path());
  facts.mx_host = connection.target().host;
  facts.mx_address = address_text(connection.target());
  facts.tls = connection.tls_version();
  facts.delays.dns = conf::Duration(slot.job.delivery->dns_micros);
  facts.delays.queue = std::max(slot.job.picked_up - slot.job.delivery->due, conf::Duration(0));
  facts.delays.connect = connection.transactions() > 1 ? conf::Duration(0) : connection.connect_time();
  facts.delays.transaction = parts_.flow->now() - slot.job.began;
  return facts;
}

}  // namespace relay
