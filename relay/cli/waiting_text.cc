#include "relay/cli/waiting_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "conf/vocab/utf8.h"
#include "relay/cli/flow_text.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/mx_text.h"
#include "relay/cli/queue_view.h"

namespace relay::cli {

using nlohmann::json;

namespace {

// Empty when it is no list.
const json& list_of(const json& object, const char* key) {
  static const json kNone = json::array();
  const json& found = member(object, key);
  return found.is_array() ? found : kNone;
}

constexpr size_t kNameWidth = 47;

struct Column {
  const char* key;
  const char* title;
  size_t width;
};
constexpr Column kColumnsOfGroups[] = {{"scheduled", "SCHEDULED", 9},
                                       {"ready", "READY", 8},
                                       {"on_hold", "HELD", 7},
                                       {"in_flight", "IN FLIGHT", 9},
                                       {"routing", "DNS", 5}};

void group_row(const json& group, std::string* out) {
  for (const Column& column : kColumnsOfGroups)
    fmt::format_to(std::back_inserter(*out), "{:>{}} ", grouped(number_of(group, column.key)), column.width);
  fmt::format_to(std::back_inserter(*out), "{:>7}  {}\n", age_text(number_of(group, "oldest_seconds")),
                 fitted(text_of(group, "name"), kNameWidth));
}

void groups_text(const json& summary, std::string* out) {
  const json& groups = member(summary, "groups");
  if (!groups.is_array() || groups.empty()) return;
  std::string by = text_of(summary, "by");
  std::transform(by.begin(), by.end(), by.begin(), [](unsigned char c) { return std::toupper(c); });
  out->push_back('\n');
  for (const Column& column : kColumnsOfGroups)
    fmt::format_to(std::back_inserter(*out), "{:>{}} ", column.title, column.width);
  line(out, "{:>7}  {}", "OLDEST", by);
  for (const json& group : groups) {
    group_row(group, out);
    *out += reasons_text(group, "          ");
  }
  if (is_true(summary, "more")) line(out, "There are more; --limit shows more of them.");
}

void trouble_text(const json& summary, std::string* out) {
  if (number_of(summary, "log_lost") != 0)
    line(out, "{:<22}{}", "log events lost", text_of(summary, "log_lost"));
  if (number_of(summary, "log_waiting") != 0)
    line(out, "{:<22}{}", "log events waiting", text_of(summary, "log_waiting"));
  if (!is_true(summary, "accepting"))
    line(out, "NOT ACCEPTING MAIL: {}", text_of(summary, "not_accepting_why"));
  if (summary.contains("recording") && !is_true(summary, "recording"))
    line(out, "DELIVERIES PAUSE: what becomes of mail cannot be recorded in the spool");
}

// "blocked: waits: ..." says it twice.
std::string path_flow(const json& path) {
  const std::string state = text_of(path, "state");
  const std::string flow = flow_text(path);
  return state.empty() || state == "open" || flow.find(state) != std::string::npos ? flow
                                                                                   : state + "; " + flow;
}

void status_of_site(const std::string& site, const json& waiting, const std::vector<const json*>& paths,
                    std::string* out) {
  line(out, "");
  line(out, "{}", fitted(site, kColumns));
  *out += wrapped("  ", "mail: " + counts_text(waiting) +
                            (kept_of(waiting) == 0
                                 ? ""
                                 : "; the oldest for " + seconds_text(real_of(waiting, "oldest_seconds"))));
  *out += reasons_text(waiting, "    ");
  for (const json* path : paths) {
    const std::string rule = text_of(*path, "rule");
    *out +=
        wrapped("  ", fmt::format("from {} ({}): {} ready, {} in flight, {}; {}", text_of(*path, "source"),
                                  rule.empty() ? "no rule" : rule, grouped(number_of(*path, "ready")),
                                  grouped(number_of(*path, "in_flight")),
                                  counted(number_of(*path, "connections"), "connection"), path_flow(*path)));
    if (const std::string flow = last_minute_text(*path); !flow.empty())
      *out += wrapped("    ", "last minute: " + flow);
  }
}

}  // namespace

std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (auto i = static_cast<ptrdiff_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<size_t>(i), ",");
  return text;
}

std::string counted(int64_t number, const char* noun) {
  return grouped(number) + ' ' + noun + (number == 1 ? "" : "s");
}

std::string fitted(const std::string& text, size_t width) {
  return text.size() <= width ? text : std::string(conf::utf8_prefix(text, width - 3)) + "...";
}

std::string wrapped(std::string_view indent, const std::string& text) {
  std::string out;
  std::string_view rest = text;
  std::string margin(indent);
  while (!rest.empty()) {
    const size_t room = kColumns - margin.size();
    size_t end = rest.size();
    if (end > room) {
      end = rest.rfind(' ', room);
      if (end == std::string_view::npos || end == 0) end = std::min(rest.find(' '), rest.size());
    }
    out += margin;
    out += rest.substr(0, end);
    out += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
    margin = std::string(indent) + "  ";
  }
  return out;
}

std::string placed(std::string_view indent, const std::string& setting, const std::string& where) {
  const std::string line = setting + "  " + where;
  if (indent.size() + line.size() <= kColumns) return std::string(indent) + line + '\n';
  return wrapped(indent, setting) + std::string(indent) + "  " + where + '\n';
}

std::string counts_text(const json& waiting) {
  std::string text;
  const std::pair<const char*, const char*> states[] = {{"scheduled", "scheduled"},
                                                        {"ready", "ready"},
                                                        {"on_hold", "on hold"},
                                                        {"in_flight", "in flight"},
                                                        {"routing", "waiting for DNS"}};
  for (const auto& [key, words] : states) {
    const int64_t count = number_of(waiting, key);
    if (count != 0) text += (text.empty() ? "" : ", ") + grouped(count) + ' ' + words;
  }
  return text.empty() ? "nothing" : text;
}

int64_t kept_of(const json& waiting) {
  int64_t sum = 0;
  for (const char* key : {"scheduled", "ready", "on_hold", "routing"}) sum += number_of(waiting, key);
  return sum;
}

std::string reason_text(const json& reason) {
  std::string text = text_of(reason, "reason");
  const json& next = member(reason, "next_seconds");
  if (!next.is_number()) return text;
  const double seconds = next.get<double>();
  return text + (seconds > 0 ? "; the first may go in " + seconds_text(seconds) : "; the first may go now");
}

std::string reasons_text(const json& waiting, std::string_view indent) {
  std::string out;
  const json& reasons = member(waiting, "reasons");
  if (!reasons.is_array()) return out;
  for (const json& reason : reasons)
    out += wrapped(indent, grouped(number_of(reason, "count")) + "  " + reason_text(reason));
  const json& others = member(waiting, "other_reasons");
  if (number_of(others, "reasons") != 0)
    out += wrapped(indent, fmt::format("{}  for {}", grouped(number_of(others, "count")),
                                       counted(number_of(others, "reasons"), "other reason")));
  return out;
}

std::string order_text(const json& order) {
  const json& left = member(order, "seconds");
  const std::string why = text_of(order, "why"), who = text_of(order, "who");
  const std::string problem = text_of(order, "problem");
  return "block " + text_of(order, "what") +
         (left.is_number() ? " for another " + seconds_text(left.get<double>()) : " until it is lifted") +
         (why.empty() ? "" : ": " + why) + (who.empty() ? "" : " (by " + who + ")") +
         (problem.empty() ? "" : "; it holds nothing that comes now: " + problem);
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
  const json& limiter = member(summary, "limiter");
  const int64_t blocked = number_of(limiter, "blocked");
  if (blocked != 0)
    line(&out, "{:<22}{} ({} behind a block)", "blocked", counted(blocked, "path"),
         grouped(number_of(limiter, "blocked_deliveries")));
  line(&out, "{:<22}{}", "since start", age_text(number_of(summary, "uptime_seconds")));
  for (const char* key : {"accepted", "delivered", "deferred", "failed", "expired", "dropped", "reports"})
    show(member(summary, "since_start"), key, (std::string("  ") + key).c_str());
  trouble_text(summary, &out);
  groups_text(summary, &out);
  return out;
}

std::string mx_status_text(const json& status) {
  const json& limiter = member(status, "limiter");
  const int64_t held = number_of(limiter, "blocked_deliveries");
  std::string out;
  line(&out, "{} blocked, {} probing, {} on a ramp{}", counted(number_of(limiter, "blocked"), "path"),
       number_of(limiter, "probing"), number_of(limiter, "ramp"),
       held == 0 ? "" : "; " + grouped(held) + " ready deliveries wait behind a block");
  for (const json& order : list_of(status, "orders")) out += wrapped("order     ", order_text(order));
  std::map<std::string, std::vector<const json*>> paths;  // by site
  std::vector<std::string> order;
  const auto note = [&](const std::string& site) {
    if (paths.try_emplace(site).second) order.push_back(site);
  };
  std::map<std::string, const json*> waiting;
  const json& groups = list_of(status, "waiting");
  const json& rows = list_of(status, "paths");
  for (const json& path : rows) {
    note(text_of(path, "site"));
    paths[text_of(path, "site")].push_back(&path);
  }
  for (const json& group : groups) {
    note(text_of(group, "name"));
    waiting[text_of(group, "name")] = &group;
  }
  if (order.empty())
    return out + "No mail waits, and no path has connections or anything that holds it back.\n";
  for (const std::string& site : order) {
    const auto mail = waiting.find(site);
    status_of_site(site, mail == waiting.end() ? json::object() : *mail->second, paths[site], &out);
  }
  if (is_true(status, "more")) line(&out, "\nThere are more; --limit shows more of them.");
  return out;
}

}  // namespace relay::cli
