#include "relay/cli/queue_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "relay/cli/json_reader.h"
#include "relay/cli/mx_text.h"
#include "relay/cli/waiting_text.h"
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

std::string delivery_text(const json& delivery) {
  std::string text = text_of(delivery, "state");
  if (text.empty()) return text;
  const auto add = [&](const char* before, const char* key, const char* after) {
    const std::string part = text_of(delivery, key);
    if (!part.empty()) text += before + part + after;
  };
  add(" from ", "source", "");
  add(" to ", "site", "");
  add(" (rule ", "rule", ")");
  add(": ", "reason", "");
  const double next = real_of(delivery, "next_seconds");
  if (next > 0) text += "; may go in " + seconds_text(next);
  return text;
}

std::string list_view(const json& list) {
  const json& messages = member(list, "messages");
  if (messages.empty()) {
    const std::string hint = text_of(list, "hint");
    return wrapped(
        "", "No message matches" + (hint.empty() ? "" : ": " + hint) + (hint.ends_with('?') ? "" : "."));
  }
  std::string out;
  line(&out, "{:<13}  {:>6}  {:>9}  {:>7}  SENDER -> NEXT RECIPIENT", "ID", "AGE", "SIZE", "PENDING");
  for (const json& message : messages) {
    const json& next = member(message, "next");
    const std::string sender = text_of(message, "sender");
    const std::string stream = text_of(message, "stream");
    out +=
        wrapped("", fmt::format("{:<13}  {:>6}  {:>9}  {:>7}  {} -> {}{}{}", text_of(message, "id"),
                                age_text(number_of(message, "age_seconds")), text_of(message, "size_bytes"),
                                text_of(message, "pending"), sender.empty() ? "<>" : sender,
                                text_of(next, "recipient"), stream.empty() ? "" : " [stream " + stream + "]",
                                is_true(message, "on_hold") ? " [hold]" : ""));
    const std::string stands = delivery_text(member(message, "delivery"));
    const std::string reply = reply_text(next, "last_reply");
    if (!stands.empty()) out += wrapped("               ", stands);
    if (!reply.empty()) out += wrapped("               ", "last reply: " + reply);
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
  show("stream", "stream");
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
    const std::string due = text_of(recipient, "due");
    const std::string host = text_of(recipient, "mx_host");
    const std::string reply = reply_text(recipient, "last_reply");
    // Of what took no step of its schedule a restart only leaves the reply.
    const bool uncounted = number_of(recipient, "attempts") == 0 && !reply.empty();
    line(&out, "<{}> {}, attempts {}", text_of(recipient, "recipient"), text_of(recipient, "state"),
         uncounted ? "at least 1" : text_of(recipient, "attempts"));
    const double left = real_of(recipient, "due_in_seconds");
    const std::string stands = delivery_text(member(recipient, "delivery"));
    if (!stands.empty()) out += wrapped("  ", "stands        " + stands);
    const bool past = recipient.contains("due_in_seconds") && left <= 0;
    if (!due.empty() && !past)
      line(&out, "  next attempt  {}{}", due, left > 0 ? ", in " + seconds_text(left) : "");
    if (!reply.empty())
      out += wrapped("  ", "last reply    " + reply + (host.empty() ? "" : " (" + host + ")"));
  }
  return out;
}

}  // namespace relay::cli
