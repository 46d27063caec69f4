#include "relay/admin/metrics_text.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>
#include <vector>

namespace relay::admin {
namespace {

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

void door_counters(const std::vector<conf::DoorCount>& counts, std::string* out) {
  out->append(
      "# HELP penstock_refused_clients_total What was refused to clients, by listener and reason.\n"
      "# TYPE penstock_refused_clients_total counter\n");
  for (const conf::DoorCount& each : counts) {
    *out += "penstock_refused_clients_total{listener=\"" + label_value(each.listener) + "\",reason=\"" +
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

void returned_mail(const QueueSummary& s, std::string* out) {
  counter("penstock_returns_unmatched_total", "Mails that came back and say nothing that could be believed.",
          s.unmatched_returns, out);
  counter("penstock_returns_forged_total", "The same, with a token that is not one of ours.",
          s.forged_returns, out);
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

void results(const std::vector<conf::ResultCounts>& all, const char* label, std::string* out) {
  const std::string name = std::string("penstock_results_by_") + label + "_total";
  *out += "# HELP " + name + " What became of recipients; deferred and held_back: each time.\n# TYPE " +
          name + " counter\n";
  for (const conf::ResultCounts& each : all) {
    const std::pair<const char*, uint64_t> counts[] = {{"delivered", each.delivered},
                                                       {"deferred", each.deferred},
                                                       {"held_back", each.held_back},
                                                       {"failed", each.failed},
                                                       {"expired", each.expired}};
    for (const auto& [result, count] : counts)
      fmt::format_to(std::back_inserter(*out), "{}{{{}=\"{}\",result=\"{}\"}} {}\n", name, label,
                     label_value(each.name), result, count);
  }
}

// A bucket counts what is in those below it, too: text format 0.0.4.
void times(const std::vector<conf::ResultCounts>& all, const char* name, const char* help,
           conf::HistogramCounts conf::ResultCounts::*which, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  for (const conf::ResultCounts& each : all) {
    const conf::HistogramCounts& histogram = each.*which;
    const std::string rule = "rule=\"" + label_value(each.name) + '"';
    uint64_t sum = 0;
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      sum += histogram.counts[i];
      const std::string bound = i < histogram.bounds.size() ? fmt::format("{}", histogram.bounds[i]) : "+Inf";
      fmt::format_to(std::back_inserter(*out), "{}_bucket{{{},le=\"{}\"}} {}\n", name, rule, bound, sum);
    }
    fmt::format_to(std::back_inserter(*out), "{0}_sum{{{1}}} {2}\n{0}_count{{{1}}} {3}\n", name, rule,
                   histogram.sum_seconds, sum);
  }
}

}  // namespace

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
  if (health.free_inodes)  // 0 would be an alarm
    gauge("penstock_spool_free_inodes", "Free inodes under the spool.", number(*health.free_inodes), &out);
  counter("penstock_accepted_total", "Recipients accepted.", s.accepted, &out);
  counter("penstock_delivered_total", "Recipients delivered.", s.delivered, &out);
  counter("penstock_deferred_total", "Attempts that were deferred.", s.deferred, &out);
  counter("penstock_failed_total", "Recipients failed.", s.failed, &out);
  counter("penstock_expired_total", "Recipients expired.", s.expired, &out);
  counter("penstock_dropped_total", "Recipients dropped by the operator.", s.dropped, &out);
  counter("penstock_reports_total", "Reports of failure and of delay made.", s.reports, &out);
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
  returned_mail(s, &out);
  unknown_texts(s, &out);
  results(s.by_rule, "rule", &out);
  results(s.by_source, "source", &out);
  times(s.by_rule, "penstock_delivery_seconds", "From acceptance until delivered, by MX rule.",
        &conf::ResultCounts::delivery, &out);
  times(s.by_rule, "penstock_transaction_seconds",
        "Of an attempt for a recipient, from MAIL until the last reply, by MX rule.",
        &conf::ResultCounts::transaction, &out);
  sites(s, "penstock_site_ready", "Deliveries that wait, of the busiest sites.", &SiteSummary::ready, &out);
  sites(s, "penstock_site_in_flight", "Deliveries being sent, of the busiest sites.", &SiteSummary::in_flight,
        &out);
  sites(s, "penstock_site_connections", "Connections, of the busiest sites.", &SiteSummary::connections,
        &out);
  return out;
}

}  // namespace relay::admin
