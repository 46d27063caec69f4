#include "relay/cli/mx_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "mx/limits/decision.h"
#include "relay/cli/flow_text.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using nlohmann::json;

// In lines of at most kColumns, the first of which begins with `label`.
std::string labelled(std::string_view label, const std::string& text) {
  std::string out = wrapped(std::string(label.size(), ' '), text);
  return out.replace(0, std::min(label.size(), out.size()), label);
}

void route_text(const json& route, std::string* out) {
  const std::string by = text_of(route, "by");
  line(out, "Route     {}{}", by.empty() ? "unknown" : "by " + by,
       real_of(route, "ttl_seconds") > 0
           ? ", known for another " + seconds_text(real_of(route, "ttl_seconds"))
           : "");
  for (const json& host : member(route, "hosts")) {
    std::string addresses;
    for (const json& address : member(host, "addresses"))
      addresses += " " + printable(address.is_string() ? address.get<std::string>() : address.dump());
    *out += wrapped(
        "  ", fmt::format("{:>6}  {} {}", text_of(host, "preference"), text_of(host, "name"), addresses));
  }
  const std::string detail = text_of(route, "detail");
  if (!detail.empty()) *out += wrapped("          ", detail);
  const std::string site = text_of(route, "site");
  if (!site.empty()) *out += labelled("Site      ", site);
}

std::string share_of(const json& source) {
  const std::string never = text_of(source, "never");
  if (!never.empty()) return "never: " + never;
  const double share = real_of(source, "share");
  std::string text = share > 0 ? fmt::format("{:.3g} %", share * 100) : "none now";
  const std::string binds = text_of(source, "binds");
  if (binds.empty()) return text;
  text += share > 0 ? (binds.starts_with("waits") ? ", and " : ", and waits: ") + binds
                    : ", the others go first: " + binds;
  if (frees_in(source) < kForever && frees_in(source) > 0)
    text += " for another " + seconds_text(frees_in(source));
  return text;
}

// Which source a message leaves from: nothing to say when there is one.
void sources_text(const json& sources, std::string* out) {
  if (!sources.is_array() || sources.size() < 2) return;
  line(out, "Sources   by weight, those that can send soonest");
  for (const json& source : sources)
    *out +=
        labelled(fmt::format("  {:<16}  weight {:<4}  ", text_of(source, "name"), text_of(source, "weight")),
                 share_of(source));
}

std::string scope_text(const json& path) {
  const std::string scope = text_of(path, "scope");
  std::string text = scope == "path"     ? "each source and remote address by itself"
                     : scope == "source" ? "each source to the site by itself"
                     : scope == "pool"   ? "all sources to the site together"
                                         : scope;
  if (is_true(path, "one_site")) text += "; all sites of the rule are one";
  return text;
}

std::string state_text(const json& path) {
  const std::string state = text_of(path, "state");
  if (state == "blocked") {
    const json& left = member(path, "blocked_seconds");
    return left.is_number() ? "blocked for another " + seconds_text(left.get<double>())
                            : "blocked until an operator unblocks it";
  }
  if (state == "probing") return "probing: a few messages go first, the block is over";
  if (state == "ramp") return "ramp: the probes passed, the flow rises step by step";
  return state;
}

std::string used_text(const json& path, const json& traffic) {
  const int64_t hour = number_of(path, "messages_per_hour");
  const int64_t slice = number_of(traffic, "slice_limit");
  const std::string in_hour = grouped(number_of(traffic, "used_in_hour"));
  if (hour == 0) return "no hourly limit";
  std::string text = "used ";
  if (slice != 0)
    text += grouped(number_of(traffic, "used_in_slice")) + " of " + grouped(slice) + " in this 5 min, ";
  return text + in_hour + " of " + grouped(hour) + " in the last hour";
}

void counters_text(const json& path, std::string* out) {
  for (const json& traffic : member(path, "traffic")) {
    const std::string address = text_of(traffic, "address");
    const std::string named = address.empty() || address == "*" ? "" : address + ": ";
    *out += labelled(
        "  counters   ",
        fmt::format("{}{}; {} of {} that its replies allow now", named, used_text(path, traffic),
                    counted(number_of(traffic, "connections"), "connection"), text_of(traffic, "window")));
    if (real_of(traffic, "slowed_seconds") > 0)
      line(out, "             it asked us to slow down: pause for another {}",
           seconds_text(real_of(traffic, "slowed_seconds")));
  }
}

// After "in the last".
std::string window_text(double seconds) { return seconds == 3600 ? "hour" : seconds_text(seconds); }

void thresholds_text(const json& path, std::string* out) {
  for (const json& threshold : member(path, "thresholds")) {
    const int64_t messages = number_of(threshold, "messages");
    const int64_t errors = number_of(threshold, "errors");
    const bool tripped = is_true(threshold, "tripped");
    const std::string window = window_text(real_of(threshold, "window_seconds"));
    const std::string of = tripped                             ? "in the " + window + " before the block"
                           : is_true(threshold, "since_block") ? "since the block"
                                                               : "in the last " + window;
    line(out, "  threshold  {} of {} messages {} were errors ({})", grouped(errors), grouped(messages), of,
         mx::share_text(static_cast<uint64_t>(std::max<int64_t>(errors, 0)),
                        static_cast<uint64_t>(std::max<int64_t>(messages, 0))));
    *out += labelled(
        "             ",
        fmt::format("blocks for {} at {:g} % of at least {}  [{}]",
                    seconds_text(real_of(threshold, "block_seconds")), real_of(threshold, "error_rate") * 100,
                    grouped(number_of(threshold, "min_messages")), text_of(threshold, "where")));
  }
}

void pace_text(const json& path, std::string* out) {
  const std::string adaptive = text_of(path, "adaptive");
  const int64_t learned = number_of(path, "learned_per_hour");
  if (learned != 0)
    line(out, "  learned    {} an hour{}", grouped(learned),
         adaptive == "advise" ? ", advice only: adaptive = \"advise\"" : "");
  const json& ladder = member(path, "ladder");
  if (ladder.is_object())
    line(out, "  warm-up    step {}: {} of {} messages of this day are used", number_of(ladder, "step") + 1,
         grouped(number_of(ladder, "used")), grouped(number_of(ladder, "per_day")));
}

// The same text once, with how often.
void quote_each(const char* before, const json& replies, std::string* out) {
  if (!replies.is_array()) return;
  for (auto each = replies.begin(); each != replies.end(); ++each) {
    if (std::find(replies.begin(), each, *each) != each) continue;
    const auto times = std::count(each, replies.end(), *each);
    *out += labelled(before, printable(each->is_string() ? each->get<std::string>() : each->dump()) +
                                 (times == 1 ? "" : " (" + std::to_string(times) + " times)"));
  }
}

// Of another path that is counted together with this one.
std::string place_of(const json& decision, const json& path) {
  const std::string site = text_of(decision, "site"), source = text_of(decision, "source");
  if (site.empty() && source.empty()) return "";
  return " at " + (site.empty() ? text_of(path, "site") : site) + " from " +
         (source.empty() ? text_of(path, "source") : source) + ", counted together";
}

void history_text(const json& path, std::string* out) {
  const std::string error = text_of(path, "last_error");
  if (!error.empty()) *out += labelled("  failed     ", error);
  quote_each("  refusal    ", member(path, "replies"), out);
  for (const json& decision : member(path, "decisions")) {
    const std::string where = text_of(decision, "where");
    const std::string place = place_of(decision, path);
    *out += labelled("  decision   ",
                     fmt::format("{} UTC  {} by {}{}: {}{}", to_the_second(text_of(decision, "time")),
                                 text_of(decision, "action"), text_of(decision, "by"), place,
                                 text_of(decision, "text"), where.empty() ? "" : "  [" + where + "]"));
    if (number_of(decision, "messages") != 0)
      line(out, "             sample: {} errors of {} messages", grouped(number_of(decision, "errors")),
           grouped(number_of(decision, "messages")));
    quote_each("               ", member(decision, "samples"), out);
  }
}

bool is_default(const json& limit) {
  const std::string where = text_of(limit, "where");
  return where.starts_with("no rule") || where.starts_with("[defaults]");
}

// What a rule sets stands in a line with its place; what none does is one paragraph.
void limits_text(const json& path, std::string* out) {
  size_t key_width = 0;
  size_t value_width = 0;
  std::string defaults;
  const json& limits = member(path, "limits");
  for (const json& limit : limits) {
    if (is_default(limit)) {
      defaults += (defaults.empty() ? "" : "; ") + text_of(limit, "key") + " " + text_of(limit, "value");
      continue;
    }
    key_width = std::max(key_width, text_of(limit, "key").size());
    value_width = std::max(value_width, std::min<size_t>(text_of(limit, "value").size(), 40));
  }
  for (const json& limit : limits) {
    if (!is_default(limit))
      *out += placed("    ",
                     fmt::format("{:<{}}  {:<{}}", text_of(limit, "key"), key_width, text_of(limit, "value"),
                                 value_width),
                     text_of(limit, "where"));
  }
  if (!defaults.empty()) *out += wrapped("    ", "not set by a rule: " + defaults);
}

void rule_text(const json& path, std::string* out) {
  const std::string rule = text_of(path, "rule");
  *out += labelled("  rule       ",
                   rule.empty() ? "none matches" : rule + "  [" + text_of(path, "rule_where") + "]");
}

// The source of an earlier path with the same rule and limits; empty: there is none.
std::string told_before(const json& paths, const json& path) {
  for (const json& each : paths) {
    if (&each == &path) break;
    if (text_of(each, "rule_where") == text_of(path, "rule_where") && scope_text(each) == scope_text(path) &&
        member(each, "limits") == member(path, "limits"))
      return text_of(each, "source");
  }
  return "";
}

void path_text(const json& paths, const json& path, bool with_site, std::string* out) {
  line(out, "");
  *out += wrapped(
      "", fmt::format("From {} (source {}){}: {}", text_of(path, "source"), text_of(path, "source_id"),
                      with_site ? " to " + text_of(path, "site") : "", flow_text(path)));
  rule_text(path, out);
  *out += labelled("  state      ", state_text(path));
  line(out, "  queue      {} ready, {} in flight, {}", grouped(number_of(path, "ready")),
       grouped(number_of(path, "in_flight")), counted(number_of(path, "connections"), "connection"));
  if (const std::string flow = last_minute_text(path); !flow.empty()) line(out, "  last min   {}", flow);
  counters_text(path, out);
  thresholds_text(path, out);
  pace_text(path, out);
  history_text(path, out);
  const std::string same = told_before(paths, path);
  if (!same.empty()) return line(out, "  limits     as from {}", printable(same));
  line(out, "  limits     counted for {}", scope_text(path));
  limits_text(path, out);
}

std::string domain_of_recipient(const json& recipient) {
  const std::string address = text_of(recipient, "recipient");
  return address.substr(std::min(address.rfind('@') + 1, address.size()));
}

// What the queue says of the pending recipients of this domain, when that is what they wait for.
std::string queue_answer(const json& message, const std::string& domain) {
  if (is_true(message, "on_hold"))
    return "Mail to " + domain + " waits: the message is on hold; `penstock queue release " +
           text_of(message, "id") + "` lets it go.";
  const json* next = nullptr;
  for (const json& recipient : member(message, "recipients")) {
    if (text_of(recipient, "state") != "pending" || domain_of_recipient(recipient) != domain) continue;
    if (next == nullptr || number_of(recipient, "due_in_seconds") < number_of(*next, "due_in_seconds"))
      next = &recipient;
  }
  if (next == nullptr) return "";
  const json& delivery = member(*next, "delivery");
  const std::string state = text_of(delivery, "state");
  if (state == "ready" && !text_of(delivery, "reason").empty())
    return "Mail to " + domain + " is " + delivery_text(delivery) + ".";
  if (state == "on hold" && !text_of(delivery, "reason").empty())
    return "Mail to " + domain + " waits: " + delivery_text(delivery) + ".";
  if (state == "in flight" && !text_of(delivery, "reason").empty())
    return "Mail to " + domain + " is " + delivery_text(delivery) + ".";
  if (state == "in flight")
    return "Mail to " + domain + " is being sent from " + text_of(delivery, "source") + ".";
  if (number_of(*next, "due_in_seconds") <= 0) return "";
  // What holds the path longer than the schedule; without an end when there is none.
  const std::string reason = text_of(delivery, "reason");
  if (state == "scheduled" && !reason.empty() && !member(delivery, "next_seconds").is_number())
    return "Mail to " + domain + " waits: " + reason + ".";
  const double may_go = real_of(delivery, "next_seconds");
  if (state == "scheduled" && may_go > static_cast<double>(number_of(*next, "due_in_seconds")) + 1)
    return "Mail to " + domain + " waits: " + reason + "; it may go in " + seconds_text(may_go) + ".";
  const std::string reply = reply_text(*next, "last_reply");
  return "Mail to " + domain + " waits for its next attempt in " +
         seconds_text(static_cast<double>(number_of(*next, "due_in_seconds"))) +
         (reply.empty() ? "." : "; the last one ended with: " + reply);
}

// It may have two lines, each of them with many names.
std::string headline_text(const json& explanation) {
  std::string out;
  std::istringstream lines(headline(explanation));
  for (std::string each; std::getline(lines, each);) out += wrapped("", each);
  return out;
}

}  // namespace

std::string seconds_text(double seconds) {
  if (!(seconds > 0)) return "0 s";
  if (seconds < 1) return "less than 1 s";
  const double bounded = std::min(std::ceil(seconds), 1e9);
  return mx::duration_text(std::chrono::seconds(static_cast<int64_t>(bounded)));
}

namespace {

void waiting_text(const json& waiting, std::string* out) {
  if (kept_of(waiting) == 0) return;
  line(out, "Waiting   {}; the oldest for {}", counts_text(waiting),
       seconds_text(real_of(waiting, "oldest_seconds")));
  *out += reasons_text(waiting, "  ");
}

}  // namespace

std::string explanation_text(const json& explanation) {
  std::string out = headline_text(explanation) + '\n';
  waiting_text(member(explanation, "waiting"), &out);
  route_text(member(explanation, "route"), &out);
  sources_text(member(explanation, "sources"), &out);
  for (const json& path : member(explanation, "paths"))
    path_text(member(explanation, "paths"), path, false, &out);
  return out;
}

std::string message_explanation_text(const json& message, const json& explained) {
  std::string out;
  if (explained.empty()) line(&out, "No recipient of message {} is pending.", text_of(message, "id"));
  for (const json& one : explained) {
    const std::string domain = text_of(one, "domain");
    const std::string error = text_of(one, "error");
    const std::string queued = queue_answer(message, domain);
    if (!queued.empty()) out += wrapped("", queued);
    if (!error.empty()) {
      out += wrapped("", fmt::format("{}: {}", domain, error));
    } else if (queued.empty()) {
      out += headline_text(member(one, "explanation"));
    }
  }
  line(&out, "");
  out += message_view(message);
  for (const json& one : explained) {
    if (member(one, "explanation").is_object())
      out += "\n---\n" + explanation_text(member(one, "explanation"));
  }
  return out;
}

std::string offline_text(const json& explanation) {
  std::string out;
  std::string hosts;
  for (const json& host : member(explanation, "hosts"))
    hosts += " " + printable(host.is_string() ? host.get<std::string>() : host.dump());
  out += wrapped(
      "", "By the configuration alone, for mail to " + text_of(explanation, "domain") + " at" + hosts + ":");
  for (const json& path : member(explanation, "paths")) {
    line(&out, "");
    line(&out, "From {} (source {})", text_of(path, "source"), text_of(path, "source_id"));
    rule_text(path, &out);
    limits_text(path, &out);
  }
  line(&out, "");
  line(&out, "What no rule sets: [[destination]] and [defaults].");
  return out;
}

std::string mx_paths_text(const json& shown) {
  std::string out;
  for (const json& path : member(shown, "paths")) path_text(member(shown, "paths"), path, true, &out);
  if (!out.empty()) out.erase(0, 1);  // the empty line that parts a path from what is before it
  return out;
}

}  // namespace relay::cli
