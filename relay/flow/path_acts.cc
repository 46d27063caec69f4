#include "relay/flow/path_acts.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mx/limits/decision.h"
#include "relay/flow/meaning.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kHostLeft = 10min;  // an act that names no time

mx::Decision decision_of(mx::Decision::Action action, const bounce::Qualification& meaning,
                         const bounce::Reply& reply, conf::Instant until) {
  mx::Decision decision;
  decision.action = action;
  decision.by = "reply rule \"" + meaning.rule + '"';
  decision.until = until;
  decision.samples.push_back(std::to_string(reply.code) + ' ' + reply.text());
  return decision;
}

}  // namespace

void PathActs::obey(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
                    conf::Instant now) {
  switch (meaning.act) {
    case bounce::Act::kPause:
      return pause(path, meaning, reply, now);
    case bounce::Act::kBlock:
      path->counters.standing->block_by_rule(now + meaning.act_for, meaning.rule, now);
      gate_->tell_decisions(*path);
      return work_->mark(path);
    case bounce::Act::kSourceOff:
      return switch_source_off(path, meaning, reply, now);
    default:
      return;
  }
}

void PathActs::pause(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
                     conf::Instant now) {
  const conf::Instant until = now + meaning.act_for;
  const bool told = path->holds.paused(now);  // one that is made longer was told when it began
  path->holds.pause_until(until, "paused by reply rule \"" + meaning.rule + '"');
  mx::Decision decision = decision_of(mx::Decision::Action::kSlow, meaning, reply, until);
  decision.text = decision.by + ": no new message " + mx::until_text(until, now);
  if (!told) gate_->tell(*path, {std::move(decision)});
  work_->mark(path);
}

void PathActs::switch_source_off(queue::Path* path, const bounce::Qualification& meaning,
                                 const bounce::Reply& reply, conf::Instant now) {
  const conf::Instant until = now + meaning.act_for;
  const bool off = sites_->is_off(*path->site, path->source.name, now);
  sites_->switch_off(path, until, "the source is left out here by reply rule \"" + meaning.rule + '"');
  if (off) return;
  mx::Decision decision = decision_of(mx::Decision::Action::kBlock, meaning, reply, until);
  decision.text = decision.by + ": source " + path->source.name + " is left out here " +
                  mx::until_text(until, now) + ", other sources go on";
  gate_->tell(*path, {std::move(decision)});
  user_->reroute(path);
  work_->mark(path);
}

void PathActs::obey(const OutboundConnection& connection, std::vector<smtp::RecipientOutcome>* outcomes,
                    conf::Instant now) {
  queue::Path* path = connection.path();
  for (smtp::RecipientOutcome& each : *outcomes) {
    const bool refused = each.kind == smtp::RecipientOutcome::Kind::kRefused && !each.local;
    if (!refused || each.meaning.act == bounce::Act::kNone) continue;
    if (each.meaning.act != bounce::Act::kNextHost) {
      obey(path, each.meaning, each.reply, now);
      continue;
    }
    const conf::Duration length = each.meaning.act_for.count() > 0 ? each.meaning.act_for : kHostLeft;
    hosts_->leave(*path, connection.target(), now + length);
    each.next_host = hosts_->any_well(*path, now);
  }
}

}  // namespace relay
