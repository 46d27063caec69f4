// What the acts of reply rules do to paths. What they do to messages, the walk decides from the same value.
#include <algorithm>
#include <string>
#include <utility>

#include "mx/limits/decision.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/meaning.h"
#include "relay/flow/site_table.h"

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kHostLeft = 10min;  // an act that names no time

std::string named(const bounce::Qualification& meaning) { return "reply rule \"" + meaning.rule + '"'; }

mx::Decision decision_of(mx::Decision::Action action, const bounce::Qualification& meaning,
                         const bounce::Reply& reply, conf::Instant until) {
  mx::Decision decision;
  decision.action = action;
  decision.by = named(meaning);
  decision.until = until;
  decision.samples.push_back(std::to_string(reply.code) + ' ' + reply.text());
  return decision;
}

}  // namespace

bool Dispatcher::trouble(OutboundConnection* connection, Slot* slot, conf::Instant now) {
  const queue::PathError error = meant(*connection);
  const bool slower = gate_.trouble(connection->path(), slot->use, error, now);
  if (error.reply.code != 0) obey(connection->path(), error.meaning, error.reply, now);
  return slower;
}

void Dispatcher::obey(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
                      conf::Instant now) {
  const conf::Instant until = now + meaning.act_for;
  const bool told = path->paused_until > now;  // one that is made longer was told when it began
  switch (meaning.act) {
    case bounce::Act::kPause: {
      path->paused_until = std::max(path->paused_until, until);
      mx::Decision decision = decision_of(mx::Decision::Action::kSlow, meaning, reply, until);
      decision.text = decision.by + ": no new message " + mx::until_text(until, now);
      if (!told) gate_.tell(*path, {std::move(decision)});
      return mark(path);
    }
    case bounce::Act::kBlock:
      path->standing->block_by_rule(until, meaning.rule, now);
      gate_.tell_decisions(*path);
      return mark(path);
    case bounce::Act::kSourceOff: {
      const bool off = sites_->is_off(*path->site, path->source.name, now);
      sites_->switch_off(path, until);
      mx::Decision decision = decision_of(mx::Decision::Action::kBlock, meaning, reply, until);
      decision.text = decision.by + ": source " + path->source.name + " is left out here " +
                      mx::until_text(until, now) + ", other sources go on";
      if (off) return;
      gate_.tell(*path, {std::move(decision)});
      user_->reroute(path);
      return mark(path);
    }
    default:
      return;
  }
}

// True: the path has a host that may be tried in place of the one at the other end, which is left for a time.
bool Dispatcher::leave_host(const OutboundConnection& connection, const bounce::Qualification& meaning,
                            conf::Instant now) {
  const queue::Path& path = *connection.path();
  const conf::Duration length = meaning.act_for.count() > 0 ? meaning.act_for : kHostLeft;
  path.site->left_hosts[connection.target().address] = now + length;
  return std::ranges::any_of(targets_in_order(path), [&](const Target& target) {
    return !path.site->is_left(target.address, now) && !is_failing(path, target.address, now);
  });
}

// Of a transaction: what its refusals say of paths and hosts.
void Dispatcher::obey(const OutboundConnection& connection, std::vector<smtp::RecipientOutcome>* outcomes,
                      conf::Instant now) {
  for (smtp::RecipientOutcome& each : *outcomes) {
    const bool refused = each.kind == smtp::RecipientOutcome::Kind::kRefused && !each.local;
    if (!refused || each.meaning.act == bounce::Act::kNone) continue;
    if (each.meaning.act == bounce::Act::kNextHost) {
      each.next_host = leave_host(connection, each.meaning, now);
    } else {
      obey(connection.path(), each.meaning, each.reply, now);
    }
  }
}

}  // namespace relay
