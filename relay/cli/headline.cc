// The first line of an explanation: what it is that mail waits for.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "relay/cli/json_reader.h"
#include "relay/cli/mx_text.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {

using nlohmann::json;

double frees_in(const json& path) {
  const json& seconds = member(path, "frees_seconds");
  return seconds.is_number() ? seconds.get<double>() : kForever;
}

namespace {

bool is_free(const json& path) { return text_of(path, "binds").empty(); }

}  // namespace

std::string flow_text(const json& path) {
  if (is_free(path)) return "may go now";
  const std::string binds = text_of(path, "binds");
  const std::string waits = (binds.starts_with("waits ") ? "" : "waits: ") + binds;
  if (frees_in(path) < kForever) return waits + ", frees in " + seconds_text(frees_in(path));
  if (text_of(path, "state") == "blocked") return waits + " until an operator unblocks it";
  if (is_true(path, "opening")) return waits;
  if (is_true(path, "disk")) return waits + ", frees when there is room on the disk and it can be written";
  return waits + ", frees when a connection or a transaction ends";
}

namespace {

std::string names_of(const std::vector<const json*>& paths) {
  std::string names;
  for (const json* path : paths) names += (names.empty() ? "" : ", ") + text_of(*path, "source");
  return names;
}

// Mail waits, and all of it on paths that are held back, while others are free.
bool waits_beside_free_paths(const json& explanation) {
  bool any_free = false, held = false;
  for (const json& path : member(explanation, "paths")) {
    const bool mail = number_of(path, "ready") > 0;
    if (is_free(path) && mail) return false;
    any_free |= is_free(path);
    held |= mail;
  }
  return any_free && held;
}

// What keeps the mail that is there, when that is more than what holds for the next message.
std::string waiting_headline(const json& explanation) {
  const json& waiting = member(explanation, "waiting");
  if (kept_of(waiting) == number_of(waiting, "ready") && !waits_beside_free_paths(explanation)) return "";
  const json& reasons = member(waiting, "reasons");
  if (!reasons.is_array() || reasons.empty()) return "";
  const int64_t of_first = number_of(reasons.front(), "count");
  const std::string share = of_first == kept_of(waiting)
                                ? (of_first == 1 ? "" : " (all " + grouped(of_first) + ")")
                                : " (" + grouped(of_first) + " of " + grouped(kept_of(waiting)) + ")";
  return "Mail to " + text_of(member(explanation, "route"), "domain") + " waits" + share + ": " +
         reason_text(reasons.front()) + ".";
}

// The path that holds back most; of several the blocked one, then the one that frees last.
const json* heaviest(const std::vector<const json*>& paths) {
  const auto weight = [](const json* path) {
    return std::pair(number_of(*path, "ready"), text_of(*path, "state") == "blocked");
  };
  return *std::max_element(paths.begin(), paths.end(),
                           [&](const json* a, const json* b) { return weight(a) < weight(b); });
}

std::string flow_headline(const json& explanation, const std::string& mail) {
  std::vector<const json*> free;
  std::vector<const json*> waiting;
  for (const json& path : member(explanation, "paths")) (is_free(path) ? free : waiting).push_back(&path);
  if (free.empty() && waiting.empty()) return mail + " cannot go: " + text_of(explanation, "problem") + ".";
  if (waiting.empty()) return mail + " may go now.";
  if (!free.empty()) {
    return mail + " may go now from " + names_of(free) + "; it waits from " + names_of(waiting) + " (" +
           text_of(*heaviest(waiting), "binds") + ").";
  }
  const json* soonest = *std::min_element(waiting.begin(), waiting.end(), [](const json* a, const json* b) {
    return frees_in(*a) < frees_in(*b);
  });
  if (waiting.size() == 1) return mail + " " + flow_text(*soonest) + ".";
  const json* most = heaviest(waiting);
  const auto named = [](const json* path) { return " from " + text_of(*path, "source"); };
  const bool tells_more =
      text_of(*most, "state") == "blocked" || number_of(*most, "ready") > number_of(*soonest, "ready");
  if (most == soonest || !tells_more) {
    return mail + " " + flow_text(*soonest) + " (from " + text_of(*soonest, "source") + ", the soonest of " +
           std::to_string(waiting.size()) + " sources).";
  }
  return mail + " " + flow_text(*most) + named(most) + "; the soonest is" + named(soonest) + ": " +
         flow_text(*soonest) + ".";
}

}  // namespace

std::string headline(const json& explanation) {
  const std::string domain = text_of(member(explanation, "route"), "domain");
  const json& barred = member(explanation, "barred");
  const std::string address = text_of(barred, "address");
  if (!address.empty()) {
    return "Nothing is sent to <" + address + ">: it is " + text_of(barred, "why") +
           "; penstock quarantine show " + address + " tells since when.\n" +
           flow_headline(explanation, "Other mail to " + domain);
  }
  const json& asked = member(explanation, "stream_order");
  if (asked.is_object())
    return "Mail to " + domain + " waits, by an order: " + printable(order_text(asked)) + ".\n" +
           flow_headline(explanation, "Without that order mail to it");
  const std::string waiting = waiting_headline(explanation);
  std::string text = waiting.empty() ? flow_headline(explanation, "Mail to " + domain)
                                     : waiting + "\n" + flow_headline(explanation, "New mail to it");
  const json& orders = member(explanation, "stream_orders");
  if (orders.is_array())
    for (const json& order : orders)
      text += "\nBut not against an order: " + printable(order_text(order)) + ".";
  return text;
}

}  // namespace relay::cli
