#include "relay/cli/log_story.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conf/vocab/ascii.h"
#include "conf/vocab/envelope.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/waiting_text.h"
#include "relay/log/event_json.h"

namespace relay::cli {

using nlohmann::json;

namespace {

void add(const json& event, const char* before, const char* key, const char* after, std::string* out) {
  const std::string part = text_of(event, key);
  if (!part.empty()) *out += before + part + after;
}

std::string line_of(const json& event) {
  const std::string kind = text_of(event, "event");
  std::string out = to_the_second(text_of(event, "time")) + "  " + kind;
  if (kind == "accepted") {
    out += " from <" + text_of(event, "reverse_path") + ">";
    add(event, ", first recipient <", "recipient", ">", &out);
    add(event, " of ", "recipients", "", &out);
    add(event, ", ", "size_bytes", " octets", &out);
    add(event, "; client ", "client", "", &out);
    add(event, ", user ", "auth", "", &out);
    return out;
  }
  if (kind == "refused_client") {
    out += " " + text_of(event, "client");
    add(event, " at ", "listener", "", &out);
    add(event, ": ", "reason", "", &out);
    add(event, ", user ", "user", "", &out);
    add(event, " (", "of_user", " of them at least)", &out);
    add(event, ", ", "detail", "", &out);
    add(event, " (", "of_detail", " of them at least)", &out);
    if (number_of(event, "count") > 1) add(event, ", ", "count", " times", &out);
    return out;
  }
  if (kind == "queue_order") {
    add(event, " ", "action", "", &out);
    out += " of " + counted(number_of(event, "messages"), "message");
    add(event, " by ", "by", "", &out);
    add(event, ": ", "what", "", &out);
    if (const int64_t left = number_of(event, "not_done"); left > 0)
      out += "; not done for " + counted(left, "message");
    add(event, ": ", "detail", "", &out);
    return out;
  }
  if (kind == "decision") {
    add(event, " ", "action", "", &out);
    add(event, " of ", "site", "", &out);
    add(event, " of stream ", "stream", "", &out);
    add(event, " from ", "source", "", &out);
    add(event, " by ", "by", "", &out);
    add(event, " [", "where", "]", &out);
    add(event, ": ", "text", "", &out);
    return out;
  }
  add(event, " <", "recipient", ">", &out);
  add(event, ", list ", "list", "", &out);
  add(event, " by ", "mx_host", "", &out);
  add(event, " [", "mx_address", "]", &out);
  add(event, " from ", "source", "", &out);
  if (text_of(event, "mx_host").empty()) add(event, " to ", "site", "", &out);
  add(event, ", held back: ", "limit", "", &out);
  add(event, ", about ", "related", "", &out);
  const std::string reply = reply_text(event, "reply");
  if (!reply.empty()) out += ": " + reply;
  if (!text_of(event, "next_attempt").empty())
    out += "; again at " + to_the_second(text_of(event, "next_attempt"));
  else if (kind == "deferred")
    out += "; on hold by reply rule " + text_of(event, "class_rule") + " until it is released";
  if (is_true(event, "uncertain")) out += "; the connection broke before the answer: it may arrive twice";
  return out;
}

// Whether an order on the queue names the message: "ID, ID, ..." and not "up to ID".
bool is_named(const std::string& id, const std::string& what) {
  return what.starts_with(id) || what.find(", " + id) != std::string::npos;
}

}  // namespace

LogSearch::LogSearch(std::string what) : what_(conf::ascii_lower(what)) {
  if (what_.size() > 2 && what_.front() == '<' && what_.back() == '>')
    what_ = what_.substr(1, what_.size() - 2);
  log::append_json_string(what_, &escaped_);
  escaped_ = conf::ascii_lower(escaped_.substr(1, escaped_.size() - 2));
  id_ = what_.find_first_of("@.") == std::string::npos && conf::parse_message_id(what_).ok();
}

bool LogSearch::may_match(std::string_view line) const {
  if (id_) return line.find(what_) != std::string_view::npos;
  const auto same = [](char a, char b) { return conf::ascii_lower(a) == b; };
  return std::search(line.begin(), line.end(), escaped_.begin(), escaped_.end(), same) != line.end();
}

bool LogSearch::is_address_meant(const std::string& address) const {
  const std::string given = conf::ascii_lower(address);
  if (what_.find('@') != std::string::npos) return given == what_;
  return given.size() > what_.size() && given.ends_with(what_) &&
         given[given.size() - what_.size() - 1] == '@';
}

std::string LogSearch::id_of(const json& event) const {
  std::string id = text_of(event, "id");
  const bool meant = id_ ? id == what_ || text_of(event, "related") == what_
                         : is_address_meant(text_of(event, "recipient")) ||
                               is_address_meant(text_of(event, "reverse_path")) ||
                               (!what_.empty() && conf::ascii_lower(text_of(event, "message_id")) == what_);
  return meant ? id : std::string();
}

bool LogSearch::is_host_meant(std::string_view hosts) const {
  const std::string_view what = what_;
  while (!hosts.empty()) {
    const size_t comma = std::min(hosts.find(','), hosts.size());
    const std::string host = conf::ascii_lower(hosts.substr(0, comma));
    if (host == what) return true;
    // "192.0.2.1:25" is of 192.0.2.1, "mx.example.net" of example.net.
    if (host.size() > what.size()) {
      if (host.starts_with(what) && host[what.size()] == ':' && host.rfind(':') == what.size()) return true;
      if (host.starts_with("[" + what_ + "]")) return true;
      if (host.ends_with(what) && host[host.size() - what.size() - 1] == '.') return true;
    }
    hosts.remove_prefix(std::min(comma + 1, hosts.size()));
  }
  return false;
}

bool LogSearch::is_meant_without_message(const json& event) const {
  if (what_.empty() || !text_of(event, "id").empty()) return false;
  if (id_) return is_named(what_, text_of(event, "what"));
  for (const char* key : {"recipient", "reverse_path", "detail"}) {
    if (is_address_meant(text_of(event, key))) return true;
  }
  for (const char* key : {"site", "mx_host", "mx_address"}) {
    if (is_host_meant(text_of(event, key))) return true;
  }
  return what_ == conf::ascii_lower(text_of(event, "client"));
}

std::string_view id_in(std::string_view line) {
  constexpr std::string_view kKey = "\"id\":\"";
  const size_t at = line.find(kKey);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + kKey.size());
  return line.substr(0, line.find('"'));
}

std::string events_text(const std::vector<json>& events) {
  std::string out;
  for (const json& event : events) out += wrapped("  ", line_of(event));
  return out;
}

std::string story_text(const std::string& id, const std::vector<json>& events) {
  return id + '\n' + events_text(events);
}

}  // namespace relay::cli
