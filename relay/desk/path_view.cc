#include "relay/desk/path_view.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "relay/admin/limit_text.h"
#include "relay/desk/waiting_reason.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kDecisionsShown = 10;

double seconds(conf::Duration duration) { return std::chrono::duration<double>(duration).count(); }

// How long until then; below 0: nobody knows.
double seconds_until(conf::Instant until, conf::Instant now) {
  return until == conf::kNever ? -1 : std::max(0.0, seconds(until - now));
}

std::vector<admin::TrafficView> traffic_of(const queue::Path& path, conf::Instant now) {
  std::vector<admin::TrafficView> views;
  for (const auto* counted : {&path.counters.traffic, &path.counters.hosts}) {
    for (const auto& [address, traffic] : *counted) {
      admin::TrafficView view;
      view.address = address.empty() ? "*" : address;
      view.connections = traffic->connections();
      view.window = traffic->window();
      view.used_in_hour = traffic->used_in_hour(now);
      view.used_in_slice = traffic->used_in_slice(now);
      view.slice_limit = traffic->slice_limit(now);
      if (traffic->slowed_until() > now) view.slowed_seconds = seconds(traffic->slowed_until() - now);
      views.push_back(std::move(view));
    }
  }
  return views;
}

std::vector<admin::ThresholdView> thresholds_of(const queue::Path& path, conf::Instant now) {
  std::vector<admin::ThresholdView> views;
  for (const mx::Standing::Sample& sample : path.counters.standing->samples(now)) {
    admin::ThresholdView view;
    view.error_rate = sample.threshold.error_rate_ppm / 1e6;
    view.min_messages = sample.threshold.min_messages;
    view.window_seconds = seconds(sample.threshold.window);
    view.block_seconds = seconds(sample.threshold.block);
    view.messages = sample.messages;
    view.errors = sample.errors;
    if (path.rule != nullptr) {
      view.where = path.rule->values.thresholds.origin.file + ':' +
                   std::to_string(sample.threshold.line != 0 ? sample.threshold.line
                                                             : path.rule->values.thresholds.origin.line);
    }
    views.push_back(std::move(view));
  }
  return views;
}

// A block, a pause and connections are no pace: they are told by themselves.
admin::AllowedFlow allowed_on(const queue::Path& path, const mx::Standing::Ladder& ladder) {
  admin::AllowedFlow allowed;
  const auto limit = [&](double per_minute, mx::Bind by, conf::RuleScope scope) {
    if (per_minute > 0 && (allowed.per_minute == 0 || per_minute < allowed.per_minute))
      allowed = {per_minute, by, scope};
  };
  const mx::PathLimits& limits = *path.limits;
  if (limits.rate.events != 0)
    limit(static_cast<double>(limits.rate.events) * seconds(1min) / seconds(limits.rate.per), mx::Bind::kRate,
          limits.scope);
  limit(limits.messages_per_hour / 60.0, mx::Bind::kQuota, limits.scope);
  if (limits.adaptive == conf::AdaptiveMode::kOn)
    limit(path.counters.standing->learned_per_hour() / 60.0, mx::Bind::kAdaptive, conf::RuleScope::kSource);
  limit(ladder.per_day / 1440.0, mx::Bind::kWarmUp, conf::RuleScope::kSource);
  return allowed;
}

using Decisions = std::vector<admin::DecisionView>;

// The latest block that `blocks` chooses, if nothing ended it. Null: nothing is known of one. An operator who
// lifts his order leaves a block that the replies brought.
template <typename Blocks>
const conf::SiteDecision* block_in_force(const Decisions& decisions, const Blocks& blocks) {
  using Action = conf::DecisionAction;
  for (const admin::DecisionView& each : decisions) {
    const conf::SiteDecision& decision = *each.decision;
    if (decision.action == Action::kBlock && blocks(decision)) return &decision;
    if (decision.action == Action::kRamp || decision.action == Action::kOpen ||
        decision.action == Action::kReset)
      return nullptr;
  }
  return nullptr;
}

// The log of decisions begins anew with the relay; what led to a block is kept with it.
void add_kept_block(const queue::Path& path, const conf::Clock& clock, admin::PathView* view) {
  const mx::BlockReason* why = path.counters.standing->why_blocked();
  const auto by_itself = [](const conf::SiteDecision& each) { return !each.ordered; };
  if (why == nullptr || block_in_force(view->decisions, by_itself) != nullptr) return;
  const auto wall = [&clock](conf::Instant at) { return clock.wall() + (at - clock.now()); };
  conf::SiteDecision block;
  block.action = mx::Decision::Action::kBlock;
  block.rule = view->rule;
  block.by = why->decision.by;
  block.site = view->site;
  block.source = view->source;
  block.messages = why->decision.messages;
  block.errors = why->decision.errors;
  if (block.messages != 0)
    block.share = static_cast<double>(block.errors) / static_cast<double>(block.messages);
  block.until = wall(why->decision.until);
  block.samples = why->decision.samples;
  block.text = why->decision.text;
  if (path.rule != nullptr) block.where = path.rule->place(why->decision.line);
  if (view->decisions.size() >= kDecisionsShown) view->decisions.pop_back();
  view->decisions.push_back({wall(why->at), std::make_shared<const conf::SiteDecision>(std::move(block))});
}

// A block begins the samples anew: people want to see the one that blocked.
void show_what_blocked(const Decisions& decisions, const mx::Standing& standing,
                       std::vector<admin::ThresholdView>* thresholds) {
  const mx::Standing::State state = standing.state();
  for (admin::ThresholdView& view : *thresholds) view.since_block = state != mx::Standing::State::kOpen;
  if (state != mx::Standing::State::kBlocked && state != mx::Standing::State::kProbing) return;
  for (size_t i = 0; i < thresholds->size(); ++i) {
    const std::string name = "threshold " + std::to_string(i + 1);
    const conf::SiteDecision* block = block_in_force(
        decisions, [&name](const conf::SiteDecision& each) { return each.by == name && each.messages != 0; });
    if (block == nullptr) continue;
    admin::ThresholdView& view = (*thresholds)[i];
    view.tripped = true;
    view.messages = block->messages;
    view.errors = block->errors;
  }
}

// What to_text(Bind) does not say: which reply rule, whose order.
std::string why_held(const queue::Path& path, mx::Bind binds, const Dispatcher& dispatcher,
                     conf::Instant now) {
  if (binds == mx::Bind::kBackOff) return tried_again(path, dispatcher.logins(), now).text;
  if (binds == mx::Bind::kSlowed && path.holds.paused(now)) return path.holds.paused_by();
  if (binds == mx::Bind::kLease && dispatcher.awaits_rules(path)) return kAwaitsRules;
  return binds == mx::Bind::kBlocked && blocked_by_order(path, now) ? "blocked by an operator" : "";
}

}  // namespace

admin::PathView view_of(queue::Path* path, uint64_t in_flight, Dispatcher* dispatcher,
                        const PathHistory& history, conf::Instant now) {
  admin::PathView view;
  view.site = path->site->label;
  view.source = path->source.name;
  view.source_id = path->source.id;
  if (path->rule != nullptr) {
    view.rule = path->rule->name;
    view.rule_where = path->rule->place();
  }
  view.scope = path->limits->scope;
  view.one_site = path->limits->one_site;
  view.limits = admin::limit_views(path->rule.get(), *path->limits, *path->settings);
  view.messages_per_hour = path->limits->messages_per_hour;
  view.adaptive = path->limits->adaptive;
  view.learned_per_hour = path->counters.standing->learned_per_hour();
  const mx::Standing::Ladder ladder = path->counters.standing->ladder(now);
  view.ladder_per_day = ladder.per_day;
  view.ladder_step = ladder.step;
  view.ladder_used = ladder.used;
  view.ready = path->ready.size();
  view.in_flight = in_flight;
  view.connections = path->connections.size();
  const mx::Admission admission = dispatcher->next_message(path);
  view.traffic = traffic_of(*path, now);
  view.thresholds = thresholds_of(*path, now);
  view.state = path->holds.ordered(now) ? mx::Standing::State::kBlocked : path->counters.standing->state();
  if (path->blocked(now)) view.blocked_seconds = seconds_until(path->blocked_until(), now);
  view.decisions = history.decisions->of(*path, kDecisionsShown);
  add_kept_block(*path, history.flow->clock(), &view);
  if (!admission.yes) {
    view.binds = admission.bind;
    view.why = why_held(*path, admission.bind, *dispatcher, now);
    view.frees_seconds = seconds_until(admission.not_before, now);
  } else if (path->is_being_tried(now)) {
    using Seconds = std::chrono::seconds;
    view.binds = mx::Bind::kBackOff;
    view.why = being_tried(*path, std::chrono::floor<Seconds>(now - path->connections.opening_since()));
    view.frees_seconds = -1;
    view.opening = true;
  } else if (const queue::Silence* silence = path->connections.silence()) {
    using Seconds = std::chrono::seconds;
    view.binds = mx::Bind::kBackOff;
    view.why = no_reply(silence->stage) + " since " +
               mx::duration_text(std::chrono::floor<Seconds>(now - silence->since));
    view.frees_seconds = -1;
    view.opening = true;
  }
  show_what_blocked(view.decisions, *path->counters.standing, &view.thresholds);
  if (path->health.last_error().present()) view.last_error = path->health.last_error().reply.text();
  view.replies = path->counters.standing->replies();
  view.last_minute = history.flow->last_minute({view.site, view.source, view.rule}, now);
  view.allowed = allowed_on(*path, ladder);
  return view;
}

admin::SourceView view_of(const queue::PathChoice::Share& share, const queue::Path* path, conf::Instant now) {
  admin::SourceView view;
  view.name = share.source->name;
  view.weight = share.source->weight;
  view.share = share.share;
  view.never = share.unusable;
  if (share.state.readiness == queue::Readiness::kFree) return view;
  view.binds = share.state.bind;
  if (view.binds == mx::Bind::kSlowed && path != nullptr && path->holds.paused(now))
    view.why = path->holds.paused_by();
  if (view.binds == mx::Bind::kBackOff && path != nullptr) view.why = held_back(*path, now).text;
  view.frees_seconds = seconds_until(share.state.until, now);
  return view;
}

}  // namespace relay
