#include "relay/admin/queue_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "relay/admin/mx_json.h"
#include "relay/log/event_json.h"

namespace relay::admin {
namespace {

using nlohmann::json;

std::string_view state_text(spool::RecipientState state) {
  switch (state) {
    case spool::RecipientState::kPending:
      return "pending";
    case spool::RecipientState::kDelivered:
      return "delivered";
    case spool::RecipientState::kFailed:
      return "failed";
    case spool::RecipientState::kExpired:
      return "expired";
    case spool::RecipientState::kDropped:
      return "dropped";
  }
  return "unknown";
}

json recipient_json(const spool::RecipientRecord& record, conf::WallTime now) {
  json out = {{"recipient", record.recipient.mailbox.text()},
              {"state", state_text(record.state)},
              {"attempts", record.attempts}};
  if (record.reply_code != 0) out["reply_code"] = record.reply_code;
  if (!record.enhanced_status.empty()) out["enhanced_status"] = record.enhanced_status;
  if (!record.last_reply.empty()) out["last_reply"] = record.last_reply;
  if (!record.mx_host.empty()) out["mx_host"] = record.mx_host;
  if (record.state == spool::RecipientState::kPending) {
    out["due"] = time_text(record.due);
    out["due_in_seconds"] = std::max<int64_t>(0, (record.due - now) / std::chrono::seconds(1));
  }
  return out;
}

}  // namespace

std::string time_text(conf::WallTime time) {
  std::string quoted;
  log::append_json_time(time, &quoted);
  return quoted.substr(1, quoted.size() - 2);
}

namespace {

json door_json(const std::vector<conf::DoorCount>& counts) {
  json out = json::array();
  for (const conf::DoorCount& each : counts)
    out.push_back(
        {{"listener", each.listener}, {"reason", conf::to_text(each.reason)}, {"count", each.count}});
  return out;
}

json quarantine_json(const QuarantineCounts& q) {
  return {{"rows", q.rows}, {"open_waves", q.open_waves}, {"held", q.held},   {"waiting", q.waiting},
          {"lost", q.lost}, {"suppressed", q.suppressed}, {"waves", q.waves}, {"quarantined", q.quarantined}};
}

}  // namespace

json summary_json(const QueueSummary& s) {
  json list = json::array();
  for (const SiteSummary& site : s.sites) {
    list.push_back({{"site", site.site},
                    {"ready", site.ready},
                    {"in_flight", site.in_flight},
                    {"connections", site.connections},
                    {"waiting_for", site.waiting_for}});
  }
  json unknown = json::array();
  for (const SiteCount& site : s.unknown_text_sites)
    unknown.push_back({{"site", site.site}, {"count", site.count}});
  return {{"messages", s.messages},
          {"deliveries", s.deliveries},
          {"scheduled", s.scheduled},
          {"ready", s.ready},
          {"in_flight", s.in_flight},
          {"on_hold", s.on_hold},
          {"accepting", s.accepting},
          {"not_accepting_why", s.not_accepting_why},
          {"recording", s.recording},
          {"since_start",
           {{"accepted", s.accepted},
            {"delivered", s.delivered},
            {"deferred", s.deferred},
            {"failed", s.failed},
            {"expired", s.expired},
            {"dropped", s.dropped},
            {"reports", s.reports}}},
          {"inbound_connections", s.inbound_connections},
          {"outbound_connections", s.outbound_connections},
          {"refused_at_door", door_json(s.refused_at_door)},
          {"log_lost", s.log_lost},
          {"log_waiting", s.log_waiting},
          {"body_memory_bytes", s.body_memory_bytes},
          {"uptime_seconds", s.uptime_seconds},
          {"limiter", limiter_json(s.limiter)},
          {"quarantine", quarantine_json(s.quarantine)},
          {"unknown_texts", {{"count", s.unknown_texts}, {"sites", std::move(unknown)}}},
          {"sites", std::move(list)}};
}

json message_json(const spool::MessageRecord& record, conf::WallTime now) {
  const spool::RecipientRecord* next = nullptr;
  uint64_t pending = 0;
  bool on_hold = record.on_hold;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kPending) continue;
    ++pending;
    on_hold |= recipient.held;
    if (next == nullptr || recipient.due < next->due) next = &recipient;
  }
  json out = {{"id", conf::to_text(record.id)},
              {"accepted", time_text(record.accepted_at)},
              {"age_seconds", std::max<int64_t>(0, (now - record.accepted_at) / std::chrono::seconds(1))},
              {"sender", record.envelope.reverse_path.text()},
              {"size_bytes", record.size_bytes},
              {"on_hold", on_hold},
              {"recipients", record.recipients.size()},
              {"pending", pending}};
  if (next != nullptr) out["next"] = recipient_json(*next, now);  // the recipient that is due first
  if (record.report_about != 0) out["report_about"] = conf::to_text(record.report_about);
  if (!record.stream.empty()) out["stream"] = record.stream;
  return out;
}

json message_detail_json(const spool::MessageRecord& record, conf::WallTime now) {
  json out = message_json(record, now);
  out.erase("next");
  json recipients = json::array();
  for (const spool::RecipientRecord& recipient : record.recipients)
    recipients.push_back(recipient_json(recipient, now));
  out["recipients"] = std::move(recipients);
  const conf::Envelope& envelope = record.envelope;
  if (!envelope.envid.empty()) out["envid"] = envelope.envid;
  if (!envelope.listener.empty()) out["listener"] = envelope.listener;
  if (!envelope.client_address.empty()) out["client"] = envelope.client_address;
  if (!envelope.client_name.empty()) out["client_name"] = envelope.client_name;
  if (!envelope.authenticated_as.empty()) out["auth"] = envelope.authenticated_as;
  return out;
}

json health_json(const QueueSummary& summary, const spool::SpoolHealth& health,
                 const spool::SpoolCounters& counters) {
  const bool good = summary.accepting && health.accepting;
  json out = {{"status", good ? "ok" : "not_accepting"},
              {"why", !summary.not_accepting_why.empty() ? summary.not_accepting_why : health.why},
              {"uptime_seconds", summary.uptime_seconds},
              {"recording", health.recording},
              {"free_bytes", health.free_bytes},
              {"set_aside", counters.set_aside},
              {"log_lost", summary.log_lost},
              {"log_waiting", summary.log_waiting}};
  if (health.free_inodes) out["free_inodes"] = *health.free_inodes;
  return out;
}

std::string to_text(const json& value) { return value.dump(-1, ' ', true, json::error_handler_t::replace); }

spool::MessageRecord in_calendar(spool::MessageRecord record, const spool::RelayClock& clock) {
  record.accepted_at = clock.calendar(record.accepted_at);
  for (spool::RecipientRecord& recipient : record.recipients) recipient.due = clock.calendar(recipient.due);
  return record;
}

}  // namespace relay::admin
