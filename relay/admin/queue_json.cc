#include "relay/admin/queue_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
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

void gauge(const char* name, const char* help, double value, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", name, help, value);
}

void counter(const char* name, const char* help, uint64_t value, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "# HELP {0} {1}\n# TYPE {0} counter\n{0} {2}\n", name, help,
                 value);
}

// The exposition format wants backslash, quote and newline escaped in label values.
std::string label_value(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void sites(const QueueSummary& summary, const char* name, const char* help, uint64_t SiteSummary::*field,
           std::string* out) {
  fmt::format_to(std::back_inserter(*out), "# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
  for (const SiteSummary& site : summary.sites) {
    fmt::format_to(std::back_inserter(*out), "{}{{site=\"{}\"}} {}\n", name, label_value(site.site),
                   site.*field);
  }
}

// One label with three values: the number of series does not grow with the number of sites.
void limiter(const LimiterCounts& counts, std::string* out) {
  fmt::format_to(std::back_inserter(*out),
                 "# HELP penstock_limiter_paths Paths whose flow is held back, by state.\n"
                 "# TYPE penstock_limiter_paths gauge\n"
                 "penstock_limiter_paths{{state=\"blocked\"}} {}\n"
                 "penstock_limiter_paths{{state=\"probing\"}} {}\n"
                 "penstock_limiter_paths{{state=\"ramp\"}} {}\n",
                 counts.blocked, counts.probing, counts.ramp);
  gauge("penstock_limiter_blocked_deliveries",
        "Ready deliveries behind a block, not those put off by ready_limit.",
        static_cast<double>(counts.blocked_deliveries), out);
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

namespace {

void door_counters(const std::vector<conf::DoorCount>& counts, std::string* out) {
  out->append(
      "# HELP penstock_refused_clients_total What was refused to clients, by listener and reason.\n"
      "# TYPE penstock_refused_clients_total counter\n");
  for (const conf::DoorCount& each : counts) {
    std::string listener;
    for (const char c : each.listener) {  // of a label: text format 0.0.4
      if (c == '\\' || c == '"') listener += '\\';
      listener += c == '\n' ? ' ' : c;
    }
    *out += "penstock_refused_clients_total{listener=\"" + listener + "\",reason=\"" +
            conf::to_text(each.reason) + "\"} " + std::to_string(each.count) + '\n';
  }
}

void quarantine(const QuarantineCounts& q, std::string* out) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  gauge("penstock_quarantine_rows", "Addresses with a state in the ledger.", number(q.rows), out);
  gauge("penstock_quarantine_open_waves", "Waves of the outage guard that are not over.",
        number(q.open_waves), out);
  gauge("penstock_quarantine_waiting", "What is not in the ledger's file yet.", number(q.waiting), out);
  counter("penstock_quarantine_lost_total", "What found no room, as the ledger could not be written.", q.lost,
          out);
  counter("penstock_quarantine_held_total", "Hard errors that the outage guard held back.", q.held, out);
  counter("penstock_quarantine_waves_total", "Waves that the outage guard declared.", q.waves, out);
  counter("penstock_quarantine_barred_total", "Addresses barred by their errors or a complaint.",
          q.quarantined, out);
  counter("penstock_suppressed_total", "Recipients that were not written to.", q.suppressed, out);
}

void unknown_texts(const QueueSummary& s, std::string* out) {
  counter("penstock_unknown_texts_total", "Refusals whose text no rule reads.", s.unknown_texts, out);
  if (s.unknown_text_sites.empty()) return;
  *out +=
      "# HELP penstock_site_unknown_texts_total The same, of the sites with most of them.\n"
      "# TYPE penstock_site_unknown_texts_total counter\n";
  for (const SiteCount& site : s.unknown_text_sites)
    *out += "penstock_site_unknown_texts_total{site=\"" + label_value(site.site) + "\"} " +
            std::to_string(site.count) + '\n';
}

}  // namespace

json health_json(const QueueSummary& summary, const spool::SpoolHealth& health,
                 const spool::SpoolCounters& counters) {
  const bool good = summary.accepting && health.accepting;
  return {{"status", good ? "ok" : "not_accepting"},
          {"why", !summary.not_accepting_why.empty() ? summary.not_accepting_why : health.why},
          {"uptime_seconds", summary.uptime_seconds},
          {"recording", health.recording},
          {"free_bytes", health.free_bytes},
          {"set_aside", counters.set_aside},
          {"log_lost", summary.log_lost},
          {"log_waiting", summary.log_waiting}};
}

std::string to_text(const json& value) { return value.dump(-1, ' ', true, json::error_handler_t::replace); }

std::string metrics_text(const QueueSummary& s, const spool::SpoolHealth& health,
                         const spool::SpoolCounters& counters) {
  std::string out;
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  gauge("penstock_up_seconds", "Time since start.", s.uptime_seconds, &out);
  gauge("penstock_accepting", "1 while new mail is taken.", s.accepting && health.accepting ? 1 : 0, &out);
  gauge("penstock_spool_recording", "0 while deliveries pause, as their results cannot be recorded.",
        health.recording ? 1 : 0, &out);
  gauge("penstock_queue_messages", "Messages in the spool.", number(s.messages), &out);
  gauge("penstock_queue_deliveries", "Deliveries that are not finished.", number(s.deliveries), &out);
  gauge("penstock_queue_scheduled", "Deliveries that wait for their time.", number(s.scheduled), &out);
  gauge("penstock_queue_ready", "Deliveries that wait for a connection.", number(s.ready), &out);
  gauge("penstock_queue_in_flight", "Deliveries being sent.", number(s.in_flight), &out);
  gauge("penstock_queue_on_hold", "Deliveries on hold.", number(s.on_hold), &out);
  gauge("penstock_inbound_connections", "Open inbound connections.", number(s.inbound_connections), &out);
  gauge("penstock_outbound_connections", "Open outbound connections.", number(s.outbound_connections), &out);
  gauge("penstock_body_memory_bytes", "Message bodies in memory.", number(s.body_memory_bytes), &out);
  gauge("penstock_spool_free_bytes", "Free disk under the spool.", number(health.free_bytes), &out);
  counter("penstock_accepted_total", "Recipients accepted.", s.accepted, &out);
  counter("penstock_delivered_total", "Recipients delivered.", s.delivered, &out);
  counter("penstock_deferred_total", "Attempts that were deferred.", s.deferred, &out);
  counter("penstock_failed_total", "Recipients failed.", s.failed, &out);
  counter("penstock_expired_total", "Recipients expired.", s.expired, &out);
  counter("penstock_dropped_total", "Recipients dropped by the operator.", s.dropped, &out);
  counter("penstock_reports_total", "Failure reports made.", s.reports, &out);
  door_counters(s.refused_at_door, &out);
  counter("penstock_log_lost_total", "Delivery log events lost.", s.log_lost, &out);
  gauge("penstock_log_waiting", "Delivery log events not in the file yet.", number(s.log_waiting), &out);
  counter("penstock_spool_stored_total", "Messages stored.", counters.stored, &out);
  counter("penstock_spool_updated_total", "Records updated.", counters.updated, &out);
  counter("penstock_spool_removed_total", "Messages removed.", counters.removed, &out);
  counter("penstock_spool_syncs_total", "Syncs to disk.", counters.syncs, &out);
  counter("penstock_spool_written_bytes_total", "Bytes written to the spool.", counters.bytes_written, &out);
  counter("penstock_spool_set_aside_total", "Corrupt records set aside.", counters.set_aside, &out);
  limiter(s.limiter, &out);
  quarantine(s.quarantine, &out);
  unknown_texts(s, &out);
  sites(s, "penstock_site_ready", "Deliveries that wait, of the busiest sites.", &SiteSummary::ready, &out);
  sites(s, "penstock_site_in_flight", "Deliveries being sent, of the busiest sites.", &SiteSummary::in_flight,
        &out);
  sites(s, "penstock_site_connections", "Connections, of the busiest sites.", &SiteSummary::connections,
        &out);
  return out;
}

}  // namespace relay::admin
