#include "relay/flow/path_gate.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "mx/limits/outcome.h"
#include "relay/flow/sick_host.h"

namespace relay {

namespace {

constexpr conf::Duration kTold = std::chrono::seconds(1);  // a pause

// As it stands in the evidence: "550 5.1.1 no such user".
std::string quoted(const bounce::Reply& reply) {
  return reply.code == 0 ? reply.text() : std::to_string(reply.code) + ' ' + reply.text();
}

}  // namespace

bool PathGate::counts_anything(const mx::PathLimits& limits) {
  return limits.messages_per_hour != 0 || limits.rate.events != 0 || !limits.warmup.empty() ||
         limits.adaptive == conf::AdaptiveMode::kOn;
}

bool PathGate::leased(const queue::Path& path, conf::Instant now) const {
  return !counts_anything(*path.limits) || parts_.lease->valid(now);
}

void PathGate::end_order(queue::Path* path, conf::Instant now) {
  if (!path->holds.has_ended_order(now)) return;
  path->holds.end_order();
  mx::Decision decision;
  decision.action = mx::Decision::Action::kUnblock;
  decision.by = "operator";
  decision.ordered = true;
  decision.text = "the order is over";
  parts_.decided(*path, {std::move(decision)});
}

mx::Admission PathGate::may_open(queue::Path* path, std::string_view address, conf::Instant now) {
  end_order(path, now);
  if (path->health.backs_off(now))
    return mx::Admission::no(mx::Bind::kBackOff, path->health.backs_off_until());
  if (parts_.sites->awaits_rules(*path)) return mx::Admission::no(mx::Bind::kLease, conf::kNever);
  if (const mx::Admission held = path->next_held(now); !held.yes) return held;
  const std::shared_ptr<mx::Traffic>& traffic = parts_.sites->traffic(path, address);
  const std::shared_ptr<mx::Traffic> host = parts_.sites->host_traffic(path, address);
  mx::Admission admission = path->counters.standing->may_send(now);
  if (admission.yes) admission = path->counters.standing->may_connect(now);
  admission = admission.also(traffic->may_send(now));
  if (host != nullptr) admission = admission.also(host->may_send(now));
  tell_decisions(*path);  // a block that is over has become probing by being asked
  // Whoever has to wait for a time stands in no line for a connection: he could not use it.
  if (!admission.yes && admission.not_before != conf::kNever) return admission;
  admission = admission.also(traffic->may_connect(now));
  if (host != nullptr) admission = admission.also(host->may_connect(now));
  if (admission.yes && !leased(*path, now)) return mx::Admission::no(mx::Bind::kLease, conf::kNever);
  return admission;
}

mx::Admission PathGate::may_open_early(queue::Path* path, std::string_view address, conf::Instant now) {
  if (path->health.backs_off(now))
    return mx::Admission::no(mx::Bind::kBackOff, path->health.backs_off_until());
  if (parts_.sites->awaits_rules(*path)) return mx::Admission::no(mx::Bind::kLease, conf::kNever);
  if (const mx::Admission held = path->next_held(now); !held.yes) return held;
  const mx::Admission admission =
      path->counters.standing->may_connect(now).also(parts_.sites->traffic(path, address)->may_connect(now));
  const std::shared_ptr<mx::Traffic> host = parts_.sites->host_traffic(path, address);
  return host == nullptr ? admission : admission.also(host->may_connect(now));
}

uint32_t PathGate::budget(queue::Path* path, std::string_view address, conf::Instant now) {
  const uint32_t most = std::min(parts_.sites->traffic(path, address)->budget(now),
                                 path->counters.standing->room(now).messages);
  const std::shared_ptr<mx::Traffic> host = parts_.sites->host_traffic(path, address);
  return host == nullptr ? most : std::min(most, host->budget(now));
}

mx::Admission PathGate::site_may_send(const queue::Path& path, conf::Instant now) const {
  if (const mx::Admission held = path.held_alone(now); !held.yes) return held;
  const mx::Admission admission = path.counters.standing->may_send(now);
  mx::Traffic* whole = path.counters.whole();
  return whole == nullptr ? admission : admission.also(whole->may_send(now));
}

bool PathGate::host_may_take(queue::Path* path, std::string_view address, conf::Instant now) {
  const std::shared_ptr<mx::Traffic> host = parts_.sites->host_traffic(path, address);
  return host != nullptr && host->may_connect(now).yes && host->may_send(now).yes &&
         booked_up(path, address, now) == nullptr;
}

const mx::Traffic* PathGate::counters_at(queue::Path* path, std::string_view address) {
  const std::shared_ptr<mx::Traffic> host = parts_.sites->host_traffic(path, address);
  return host != nullptr ? host.get() : parts_.sites->traffic(path, address).get();
}

mx::Admission PathGate::may_send(const queue::Path& path, const Use& use, uint32_t sent,
                                 conf::Instant now) const {
  const uint32_t most = path.limits->max_messages_per_connection;
  const uint32_t learned = use.traffic->most_per_connection(now);
  // After a reload others may count what goes there: it would not be seen over this connection.
  if ((most != 0 && sent >= most) || (learned != 0 && use.taken >= learned) || use.asked_slower ||
      use.counted != path.counters.version)
    return mx::Admission::no(mx::Bind::kPerConnection, conf::kNever);
  if (parts_.sites->awaits_rules(path)) return mx::Admission::no(mx::Bind::kLease, conf::kNever);
  if (const mx::Admission held = path.held_alone(now); !held.yes) return held;
  mx::Admission admission = use.standing->may_send(now).also(use.traffic->may_send(now));
  if (use.host != nullptr) admission = admission.also(use.host->may_send(now));
  if (admission.yes && !leased(path, now)) return mx::Admission::no(mx::Bind::kLease, conf::kNever);
  return admission;
}

bool PathGate::is_surplus(const queue::Path& path, const Use& use, conf::Instant now) {
  return path.holds.ordered(now) || use.traffic->connections() > use.traffic->window() ||
         (use.host != nullptr && use.host->connections() > use.host->window()) ||
         use.standing->connections() > use.standing->most_connections(now);
}

bool PathGate::is_full(const Use& use, conf::Instant now) {
  const mx::Bind bind = use.traffic->may_connect(now).bind;
  return bind == mx::Bind::kConnections || bind == mx::Bind::kWindow || !use.standing->may_connect(now).yes;
}

void PathGate::open(queue::Path* path, std::string_view address, Use* use) {
  CHECK(!use->open());
  use->traffic = parts_.sites->traffic(path, address);
  use->standing = path->counters.standing;
  use->host = parts_.sites->host_traffic(path, address);
  if (use->host == use->traffic) use->host.reset();
  use->counted = path->counters.version;
  use->begun = parts_.clock->now();
  use->taken = 0;
  use->asked_slower = false;
  use->traffic->connection_opened(use->begun);
  if (use->host != nullptr) use->host->connection_opened(use->begun);
  use->standing->connection_opened();
  book(use);
}

void PathGate::close(Use* use) {
  if (!use->open()) return;
  end_booking(use);
  std::vector<mx::Traffic*> borrowers = use->traffic->borrowers();
  if (use->host != nullptr) {
    const std::vector<mx::Traffic*> of_host = use->host->borrowers();
    borrowers.insert(borrowers.end(), of_host.begin(), of_host.end());
  }
  use->traffic->connection_closed(use->taken > 0);
  use->standing->connection_closed();
  if (use->host != nullptr) use->host->connection_closed(use->taken > 0);
  for (const mx::Traffic* each : borrowers) release(each);
  release(use->traffic.get());
  release(use->standing.get());
  if (use->host != nullptr) release(use->host.get());
  use->host.reset();
  use->traffic.reset();
  use->standing.reset();
}

void PathGate::charge(Use* use, conf::Instant now) {
  CHECK(!use->attempt.has_value());
  end_booking(use);
  use->attempt = use->standing->began(now);
  use->begun = now;
  use->traffic->charge(now);
  use->traffic->had_turn(false);
  if (use->host == nullptr) return;
  use->host->charge(now);
  use->host->had_turn(true);
}

void PathGate::read_limit(const Use& use, conf::Instant now, std::vector<smtp::RecipientOutcome>* outcomes) {
  if (!use.open() || of_sick_host(*outcomes) == nullptr) return;
  const bool here = use.traffic->deferred(now);
  const bool at_host = use.host != nullptr && use.host->deferred(now);
  if (!here && !at_host) return;
  for (smtp::RecipientOutcome& each : *outcomes) {
    if (is_of_sick_host(each)) each.meaning.pace = bounce::Pace::kSlower;
  }
}

// An attempt without an answer is not taken back from the quota: the receiver may have counted it.
void PathGate::feed_back(queue::Path* path, Use* use, const std::vector<smtp::RecipientOutcome>& outcomes,
                         conf::Instant now) {
  if (!use->attempt.has_value()) return;
  using Kind = smtp::RecipientOutcome::Kind;
  bool accepted = false, answered = false;
  const bounce::Reply* throttled = nullptr;
  for (const smtp::RecipientOutcome& each : outcomes) {
    if (each.kind == Kind::kNotTried) continue;
    const bool taken = each.kind == Kind::kDelivered || each.kind == Kind::kDeliveredNoDsn;
    accepted |= taken;
    answered |= taken || (each.reply.code != 0 && !each.local);
    const std::string text = taken ? std::string() : quoted(each.reply);
    mx::Outcome outcome;
    if (!taken) {
      // No answer says nothing of us.
      const bool ours = each.local || each.reply.code == 0;
      outcome = mx::refusal(each.meaning.type, each.meaning.scope, each.meaning.pace, ours, text);
      outcome.reason = each.meaning.reason;
      if (is_of_sick_host(each)) outcome.kind = mx::Outcome::Kind::kIgnored;
      if (outcome.throttling && !each.local) throttled = &each.reply;
    }
    use->standing->outcome(*use->attempt, outcome, now);
  }
  if (accepted && throttled == nullptr) {
    const mx::Traffic::Transaction transaction{use->begun, use->taken++};
    const bool wider = use->traffic->accepted(now, transaction);  // one more connection than before
    const bool host_wider = use->host != nullptr && use->host->accepted(now, transaction);
    if (wider) release(use->traffic.get());
    if (host_wider) release(use->host.get());
    if (wider || host_wider) parts_.ask_again(path);
  }
  if (throttled != nullptr) {
    slow_down(*path, *use, *throttled, false, now);
    use->asked_slower = true;
  }
  use->standing->ended(*use->attempt, answered, now);
  use->attempt.reset();
  release(use->standing.get());
  tell_decisions(*path);
}

void PathGate::abandon(queue::Path* path, Use* use, conf::Instant now) {
  if (!use->attempt.has_value()) return;
  use->standing->ended(*use->attempt, false, now);
  use->attempt.reset();
  release(use->standing.get());
  tell_decisions(*path);
}

bool PathGate::trouble(queue::Path* path, const Use& use, const queue::PathError& error, conf::Instant now) {
  if (!use.open()) return false;
  const bool before_any_message =
      error.stage == bounce::Stage::kGreeting || error.stage == bounce::Stage::kEhlo;
  if (error.meaning.pace == bounce::Pace::kSlower) {
    // What it said to a message counts once.
    if (!use.asked_slower) slow_down(*path, use, error.reply, before_any_message, now);
  } else {
    use.traffic->trouble(now);
    if (use.host != nullptr) use.host->trouble(now);
  }
  if (before_any_message && error.reply.code != 0) {
    const std::string text = quoted(error.reply);
    mx::Outcome outcome =
        mx::refusal(error.meaning.type, error.meaning.scope, error.meaning.pace, false, text);
    outcome.reason = error.meaning.reason;
    use.standing->refused(outcome, now);
  }
  tell_decisions(*path);
  return error.meaning.pace == bounce::Pace::kSlower;
}

void PathGate::slow_down(const queue::Path& path, const Use& use, const bounce::Reply& reply,
                         bool turned_away, conf::Instant now) {
  mx::Traffic* traffic = use.traffic.get();
  const conf::Instant before = traffic->slowed_until();
  for (mx::Traffic* each : {traffic, use.host.get()}) {
    if (each == nullptr) continue;
    if (turned_away) {
      each->turned_away(now, use.begun);
    } else {
      each->throttled(now, {use.begun, use.taken});
    }
  }
  // A pause that is made longer was told when it began, and one that is next to none is not told.
  if (traffic->slowed_until() < now + kTold || before > now) return;
  mx::Decision decision;
  decision.action = mx::Decision::Action::kSlow;
  decision.by = "replies";
  decision.until = traffic->slowed_until();
  decision.samples.push_back(quoted(reply));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(decision.until - now).count();
  decision.text = "the receiver asked us to slow down: a pause of " + std::to_string(seconds) +
                  " s, at most " + std::to_string(traffic->window()) +
                  (traffic->window() == 1 ? " connection" : " connections");
  parts_.decided(path, {std::move(decision)});
}

void PathGate::tell_decisions(const queue::Path& path) {
  if (path.counters.standing->has_decisions()) parts_.decided(path, path.counters.standing->take_decisions());
}

}  // namespace relay
