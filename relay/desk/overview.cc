#include "relay/desk/overview.h"

#include <chrono>
#include <string>
#include <utility>

namespace relay {

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
  const journal::QuarantineGauges& kept = gauges.quarantine;
  summary.quarantine = {kept.rows, kept.open_waves,   kept.held,          kept.waiting,
                        kept.lost, counts.suppressed, counts.quarantined, counts.waves};
  summary.unmatched_returns = counts.unmatched;
  summary.forged_returns = counts.forged;
  summary.unknown_texts = counts.unknown;
  for (const auto& [site, count] : counts.unknown_sites) summary.unknown_text_sites.push_back({site, count});
  const journal::LimiterGauges& limiter = gauges.limiter;
  summary.limiter = {limiter.blocked, limiter.probing, limiter.ramp, limiter.blocked_deliveries};
  for (const journal::SiteGauges& site : gauges.sites)
    summary.sites.push_back({site.site, site.ready, site.in_flight, site.connections, site.waiting_for});
  return summary;
}

}  // namespace

Overview::Overview(Parts parts)
    : parts_(std::move(parts)),
      survey_(&parts_.transit->sites(), &parts_.transit->dispatcher()),
      started_(parts_.transit->clock().now()) {}

admin::QueueSummary Overview::now() {
  const conf::Instant now = parts_.transit->clock().now();
  survey_.refresh_if_small(now);
  admin::QueueSummary summary = summary_of(gauges(now), parts_.metrics->counts());
  summary.refused_at_door = parts_.refused_at_door();
  parts_.transit->accepting(&summary.not_accepting_why);
  return summary;
}

admin::QueueSummary Overview::last_known() const {
  admin::QueueSummary summary = summary_of(*board_.latest(), parts_.metrics->counts());
  summary.by_rule = parts_.results->by_rule();
  summary.by_source = parts_.results->by_source();
  summary.refused_at_door = parts_.refused_at_door();
  return summary;
}

void Overview::step(conf::Instant now) {
  if (now < next_survey_ && !survey_.under_way()) return;
  if (!survey_.step(now)) return;
  next_survey_ = now + kSurveyPeriod;
  board_.publish(gauges(now));
}

journal::Gauges Overview::gauges(conf::Instant now) const {
  const Transit& transit = *parts_.transit;
  journal::Gauges gauges;
  std::string why;
  gauges.made = now;
  gauges.uptime_seconds = std::chrono::duration<double>(now - started_).count();
  gauges.accepting = transit.accepting(&why);
  gauges.recording = !transit.dispatcher().paused();
  gauges.messages = transit.deliveries().messages();
  gauges.deliveries = transit.deliveries().deliveries();
  gauges.scheduled = transit.resting().scheduled();
  gauges.on_hold = transit.resting().held() + transit.resting().paused();
  gauges.ready = transit.dispatcher().ready();
  gauges.in_flight = transit.dispatcher().in_flight();
  gauges.outbound_connections = transit.dispatcher().connections();
  gauges.inbound_connections = parts_.inbound_connections();
  gauges.body_memory_bytes = transit.messages().used_bytes();
  gauges.log_waiting = parts_.journal->waiting();
  gauges.log_lost = parts_.log_lost();
  gauges.quarantine = parts_.quarantine();
  gauges.limiter = survey_.latest().limiter;
  gauges.sites = survey_.latest().sites;
  return gauges;
}

}  // namespace relay
