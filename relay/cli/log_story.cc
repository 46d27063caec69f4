#include "relay/cli/log_story.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conf/vocab/ascii.h"
#include "conf/vocab/envelope.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/waiting_text.h"

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
  add(event, " <", "recipient", ">", &out);
  add(event, " by ", "mx_host", "", &out);
  add(event, " [", "mx_address", "]", &out);
  add(event, " from ", "source", "", &out);
  if (text_of(event, "mx_host").empty()) add(event, " to ", "site", "", &out);
  add(event, ", held back by ", "limit", "", &out);
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

}  // namespace

LogSearch::LogSearch(std::string what) : what_(conf::ascii_lower(what)) {
  if (what_.size() > 2 && what_.front() == '<' && what_.back() == '>')
    what_ = what_.substr(1, what_.size() - 2);
  id_ = what_.find_first_of("@.") == std::string::npos && conf::parse_message_id(what_).ok();
}

bool LogSearch::may_match(std::string_view line) const {
  if (id_) return line.find(what_) != std::string_view::npos;
  const auto same = [](char a, char b) { return conf::ascii_lower(a) == b; };
  return std::search(line.begin(), line.end(), what_.begin(), what_.end(), same) != line.end();
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

std::string_view id_in(std::string_view line) {
  constexpr std::string_view kKey = "\"id\":\"";
  const size_t at = line.find(kKey);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + kKey.size());
  return line.substr(0, line.find('"'));
}

std::string story_text(const std::string& id, const std::vector<json>& events) {
  std::string out = id + '\n';
  for (const json& event : events) out += wrapped("  ", line_of(event));
  return out;
}

}  // namespace relay::cli
