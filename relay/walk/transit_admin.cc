// What operators ask of the Transit: the summary, and retry, hold, release and drop.
#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/journal/events.h"
#include "relay/walk/transit.h"

namespace relay {

using admin::QueueAction;
using queue::Delivery;
using queue::DeliveryState;

namespace {

constexpr size_t kSitesShown = 50;

std::string waiting_for(const queue::Path& path, conf::Instant now) {
  const bool failing = path.backoff_until > now;
  if (!failing && (path.ready.empty() || path.binds == mx::Bind::kNothing)) return {};
  const std::string why =
      failing && path.last_error.present() ? path.last_error.reply.text() : mx::to_text(path.binds);
  const conf::Instant until = failing ? path.backoff_until : path.binds_until;
  if (until == conf::kNever || until <= now) return why;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(until - now).count() + 1;
  return why + ", next try in " + std::to_string(seconds) + " s";
}

}  // namespace

admin::QueueSummary Transit::summary() {
  admin::QueueSummary summary;
  const conf::Instant now = parts_.clock->now();
  summary.messages = deliveries_.messages();
  summary.deliveries = deliveries_.deliveries();
  summary.scheduled = scheduled_.size();
  summary.ready = dispatcher_.ready();
  summary.in_flight = dispatcher_.in_flight();
  summary.on_hold = held_;
  summary.accepting = accepting(&summary.not_accepting_why);
  summary.recording = !dispatcher_.paused();
  const journal::EventCounts counts = parts_.metrics->counts();
  summary.accepted = counts.accepted;
  summary.delivered = counts.delivered;
  summary.deferred = counts.deferred;
  summary.failed = counts.failed;
  summary.expired = counts.expired;
  summary.dropped = counts.dropped;
  summary.reports = counts.reports;
  summary.inbound_connections = inbound_connections();
  summary.outbound_connections = dispatcher_.connections();
  summary.log_lost = log_lost();
  if (refused_at_door) summary.refused_at_door = refused_at_door();
  summary.log_waiting = parts_.journal->waiting();
  summary.body_memory_bytes = messages_.used_bytes();
  summary.uptime_seconds = std::chrono::duration<double>(now - started_).count();

  std::map<std::string, admin::SiteSummary> sites;
  sites_.for_each([&](queue::Path* path) {
    const mx::Standing::State state = path->standing->state();
    summary.limiter.blocked += state == mx::Standing::State::kBlocked ? 1 : 0;
    summary.limiter.probing += state == mx::Standing::State::kProbing ? 1 : 0;
    summary.limiter.ramp += state == mx::Standing::State::kRamp ? 1 : 0;
    if (state == mx::Standing::State::kBlocked) summary.limiter.blocked_deliveries += path->ready.size();
    if (path->ready.empty() && path->connections == 0) return;
    admin::SiteSummary& site = sites[path->site->label];
    site.site = path->site->label;
    site.ready += path->ready.size();
    site.connections += path->connections;
    if (site.waiting_for.empty()) site.waiting_for = waiting_for(*path, now);
  });
  for (const auto& [path, count] : dispatcher_.in_flight_by_path())
    sites[path->site->label].in_flight += count;
  for (auto& [name, site] : sites) summary.sites.push_back(std::move(site));
  std::ranges::sort(summary.sites, [](const admin::SiteSummary& a, const admin::SiteSummary& b) {
    return a.ready + a.in_flight > b.ready + b.in_flight;
  });
  if (summary.sites.size() > kSitesShown) summary.sites.resize(kSitesShown);
  return summary;
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
  (action == QueueAction::kHold ? delivery->hold_wanted : delivery->drop_wanted) = true;
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
  delivery->state = DeliveryState::kLoading;
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
