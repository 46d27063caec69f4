// What operators ask of the Transit: the summary, and retry, hold, release and drop.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/journal/events.h"
#include "relay/walk/transit.h"

namespace relay {

using admin::QueueAction;
using queue::Delivery;
using queue::DeliveryState;
using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {
constexpr conf::Duration kSurveyPeriod = 1s;

admin::QueueSummary summary_of(const journal::Gauges& gauges, const journal::EventCounts& counts) {
  admin::QueueSummary summary;
  summary.uptime_seconds = gauges.uptime_seconds;
  summary.accepting = gauges.accepting;
  summary.recording = gauges.recording;
  summary.messages = gauges.messages;
  summary.deliveries = gauges.deliveries;
  summary.scheduled = gauges.scheduled;
  summary.ready = gauges.ready;
  summary.in_flight = gauges.in_flight;
  summary.on_hold = gauges.on_hold;
  summary.inbound_connections = gauges.inbound_connections;
  summary.outbound_connections = gauges.outbound_connections;
  summary.body_memory_bytes = gauges.body_memory_bytes;
  summary.log_waiting = gauges.log_waiting;
  summary.log_lost = gauges.log_lost;
  summary.accepted = counts.accepted;
  summary.delivered = counts.delivered;
  summary.deferred = counts.deferred;
  summary.failed = counts.failed;
  summary.expired = counts.expired;
  summary.dropped = counts.dropped;
  summary.reports = counts.reports;
  const journal::LimiterGauges& limiter = gauges.limiter;
  summary.limiter = {limiter.blocked, limiter.probing, limiter.ramp, limiter.blocked_deliveries};
  for (const journal::SiteGauges& site : gauges.sites)
    summary.sites.push_back({site.site, site.ready, site.in_flight, site.connections, site.waiting_for});
  return summary;
}

}  // namespace

admin::QueueSummary Transit::summary() {
  const conf::Instant now = parts_.clock->now();
  survey_.refresh_if_small(now);  // with many sites what the last round over them found is good enough
  admin::QueueSummary summary = summary_of(gauges(now), parts_.metrics->counts());
  accepting(&summary.not_accepting_why);
  if (refused_at_door) summary.refused_at_door = refused_at_door();
  return summary;
}

// For those that must not ask: once a second while anything happens, when a round over all sites has ended.
void Transit::publish(conf::Instant now) {
  if (now < next_survey_ && !survey_.under_way()) return;
  if (!survey_.step(now)) return;
  next_survey_ = now + kSurveyPeriod;
  gauges_.publish(gauges(now));
}

journal::Gauges Transit::gauges(conf::Instant now) const {
  journal::Gauges gauges;
  std::string why;
  gauges.made = now;
  gauges.uptime_seconds = std::chrono::duration<double>(now - started_).count();
  gauges.accepting = accepting(&why);
  gauges.recording = !dispatcher_.paused();
  gauges.messages = deliveries_.messages();
  gauges.deliveries = deliveries_.deliveries();
  gauges.scheduled = scheduled_.size();
  gauges.ready = dispatcher_.ready();
  gauges.in_flight = dispatcher_.in_flight();
  gauges.on_hold = held_;
  gauges.inbound_connections = inbound_connections();
  gauges.outbound_connections = dispatcher_.connections();
  gauges.body_memory_bytes = messages_.used_bytes();
  gauges.log_waiting = parts_.journal->waiting();
  gauges.log_lost = log_lost();
  gauges.limiter = survey_.latest().limiter;
  gauges.sites = survey_.latest().sites;
  return gauges;
}

admin::QueueSummary Transit::last_known() const {
  return summary_of(*gauges_.latest(), parts_.metrics->counts());
}

std::string Transit::site_of(const std::string& domain) {
  const queue::DomainEntry* entry = domains_.find(domain);
  return entry == nullptr || entry->route == nullptr ? std::string() : entry->route->site;
}

uint64_t Transit::apply(QueueAction action, const std::vector<conf::MessageId>& ids) {
  uint64_t count = 0;
  for (const conf::MessageId id : ids) {
    bool any = false;
    for (Delivery* delivery = deliveries_.find(id); delivery != nullptr;) {
      Delivery* next = delivery->sibling;  // acting may end this one
      any |= act(action, delivery);
      delivery = next;
    }
    if (!any) continue;
    ++count;
    if (action == QueueAction::kHold || action == QueueAction::kRelease)
      keep_hold(id, action == QueueAction::kHold);
  }
  return count;
}

bool Transit::act(QueueAction action, Delivery* delivery) {
  const DeliveryState state = delivery->state;
  if (action == QueueAction::kRelease) {
    const bool wanted = std::exchange(delivery->hold_wanted, false);
    if (state != DeliveryState::kHeld) return wanted;
    --held_;
    delivery->due = parts_.clock->now();
    delivery->all_due = true;
    advance(delivery);
    return true;
  }
  if (action == QueueAction::kRetry) {
    if (state == DeliveryState::kHeld) return false;  // what is held stays held until it is released
    if (state == DeliveryState::kReady) dispatcher_.poke(delivery->path);
    if (state != DeliveryState::kScheduled) return true;
    scheduled_.erase(delivery);
    delivery->due = parts_.clock->now();
    delivery->all_due = true;
    advance(delivery);
    return true;
  }
  if (action == QueueAction::kHold && state == DeliveryState::kHeld) return false;
  if (action == QueueAction::kHold) delivery->hold_wanted = true;
  if (action == QueueAction::kDrop) delivery->drop_wanted = true;
  // What is being worked on comes back to advance() by itself; what rests is taken from where it rests.
  if (state == DeliveryState::kScheduled) {
    scheduled_.erase(delivery);
    advance(delivery);
  } else if (state == DeliveryState::kReady) {
    dispatcher_.remove(delivery);
    advance(delivery);
  } else if (state == DeliveryState::kHeld) {
    --held_;
    advance(delivery);
  }
  return true;
}

// So that a hold outlives a restart.
void Transit::keep_hold(conf::MessageId id, bool on_hold) {
  messages_.pin(id, false, [this, id, on_hold](conf::Result<queue::Message*> result) {
    if (!result.ok()) {
      std::fprintf(stderr, "penstock: message %s: the hold could not be written down: %s\n",
                   conf::to_text(id).c_str(), result.error().detail.c_str());
      return;
    }
    queue::Message* message = *result;
    message->record.on_hold = on_hold;
    parts_.spool->hold(id, on_hold);
    messages_.unpin(message);
  });
}

void Transit::drop(Delivery* delivery) {
  delivery->move_to(DeliveryState::kLoading);
  messages_.pin(delivery->id, false, [this, delivery](conf::Result<queue::Message*> result) {
    if (!result.ok()) {
      load_failed(delivery, result.error());
      return;
    }
    unpin(delivery);
    delivery->message = *result;
    spool::MessageRecord& record = delivery->message->record;
    for (const uint32_t index : recipients_of(*delivery)) {
      spool::RecipientRecord& recipient = record.recipients[index];
      if (recipient.state != spool::RecipientState::kPending) continue;
      recipient.state = spool::RecipientState::kDropped;
      delivery->changed = true;
      parts_.journal->append(journal::dropped(record, recipient, parts_.clock->wall()));
    }
    settled(delivery);
  });
}

}  // namespace relay
