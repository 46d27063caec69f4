#include "relay/cli/queue_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "relay/cli/json_reader.h"
#include "relay/log/event_json.h"

namespace relay::cli {

using nlohmann::json;

std::string printable(std::string_view text) {
  // The escaper of the log knows what a terminal would obey: what it escapes is replaced.
  std::string escaped;
  log::append_json_string(text, &escaped);
  std::string out;
  for (size_t i = 1; i + 1 < escaped.size(); ++i) {
    if (escaped[i] != '\\') {
      out.push_back(escaped[i]);
      continue;
    }
    const char kind = escaped[++i];
    out.push_back(kind == '"' || kind == '\\' ? kind : '?');
    if (kind == 'u') i += 4;
  }
  return out;
}

std::string age_text(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 86'400) return fmt::format("{}h{}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{}h", seconds / 86'400, seconds / 3600 % 24);
}

std::string summary_view(const json& summary) {
  std::string out;
  const auto show = [&](const json& from, const char* key, const char* title) {
    line(&out, "{:<22}{}", title, text_of(from, key));
  };
  show(summary, "messages", "messages");
  show(summary, "deliveries", "deliveries");
  show(summary, "scheduled", "  scheduled");
  show(summary, "ready", "  ready");
  show(summary, "in_flight", "  in flight");
  show(summary, "on_hold", "  on hold");
  line(&out, "{:<22}{}", "connections",
       fmt::format("{} in, {} out", number_of(summary, "inbound_connections"),
                   number_of(summary, "outbound_connections")));
  line(&out, "{:<22}{}", "since start", age_text(number_of(summary, "uptime_seconds")));
  for (const char* key : {"accepted", "delivered", "deferred", "failed", "expired", "dropped", "reports"}) {
    show(member(summary, "since_start"), key, (std::string("  ") + key).c_str());
  }
  if (number_of(summary, "log_lost") != 0) show(summary, "log_lost", "log events lost");
  if (number_of(summary, "log_waiting") != 0) show(summary, "log_waiting", "log events waiting");
  if (!is_true(summary, "accepting")) {
    line(&out, "NOT ACCEPTING MAIL: {}", text_of(summary, "not_accepting_why"));
  }
  if (summary.contains("recording") && !is_true(summary, "recording")) {
    line(&out, "DELIVERIES PAUSE: what becomes of mail cannot be recorded in the spool");
  }
  if (member(summary, "sites").empty()) return out;
  line(&out, "");
  line(&out, "{:>8} {:>9} {:>11}  SITE", "READY", "IN FLIGHT", "CONNECTIONS");
  for (const json& site : member(summary, "sites")) {
    const std::string why = text_of(site, "waiting_for");
    line(&out, "{:>8} {:>9} {:>11}  {}{}", text_of(site, "ready"), text_of(site, "in_flight"),
         text_of(site, "connections"), text_of(site, "site"), why.empty() ? "" : " (" + why + ")");
  }
  return out;
}

std::string list_view(const json& list) {
  const json& messages = member(list, "messages");
  if (messages.empty()) return "No message matches.\n";
  std::string out;
  line(&out, "{:<13}  {:>6}  {:>9}  {:>7}  SENDER -> NEXT RECIPIENT", "ID", "AGE", "SIZE", "PENDING");
  for (const json& message : messages) {
    const json& next = member(message, "next");
    const std::string sender = text_of(message, "sender");
    line(&out, "{:<13}  {:>6}  {:>9}  {:>7}  {} -> {}{}", text_of(message, "id"),
         age_text(number_of(message, "age_seconds")), text_of(message, "size_bytes"),
         text_of(message, "pending"), sender.empty() ? "<>" : sender, text_of(next, "recipient"),
         is_true(message, "on_hold") ? " [hold]" : "");
    const std::string reply = last_reply(next);
    if (!reply.empty()) line(&out, "{:15}{}", "", reply);
  }
  if (is_true(list, "more")) line(&out, "There are more; --limit shows more of them, a filter fewer.");
  return out;
}

std::string message_view(const json& message) {
  std::string out;
  const auto show = [&](const char* key, const char* title) {
    const std::string text = text_of(message, key);
    if (!text.empty()) line(&out, "{:<14}{}", title, text);
  };
  show("id", "id");
  show("accepted", "accepted");
  line(&out, "{:<14}{}", "age", age_text(number_of(message, "age_seconds")));
  line(&out, "{:<14}<{}>", "sender", text_of(message, "sender"));
  show("size_bytes", "size");
  if (is_true(message, "on_hold")) line(&out, "{:<14}yes", "on hold");
  show("client", "client");
  show("client_name", "client name");
  show("listener", "listener");
  show("auth", "user");
  show("envid", "envelope id");
  show("report_about", "report about");
  for (const json& recipient : member(message, "recipients")) {
    line(&out, "");
    line(&out, "<{}> {}, attempts {}", text_of(recipient, "recipient"), text_of(recipient, "state"),
         text_of(recipient, "attempts"));
    const std::string due = text_of(recipient, "due");
    const std::string host = text_of(recipient, "mx_host");
    const std::string reply = last_reply(recipient);
    if (!due.empty()) line(&out, "  next attempt  {}", due);
    if (!reply.empty()) line(&out, "  last reply    {}{}", reply, host.empty() ? "" : " (" + host + ")");
  }
  return out;
}

}  // namespace relay::cli
