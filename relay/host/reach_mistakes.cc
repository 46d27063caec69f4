#include "relay/host/reach_mistakes.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "conf/vocab/address.h"
#include "mx/dns/special_address.h"

namespace relay {
namespace {

using Problems = std::vector<conf::Problem>;

constexpr size_t kNamed = 6;  // masks or rules in a warning

// "a, b and 3 more"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= kNamed ? text : text + " and " + std::to_string(names.size() - kNamed) + " more";
}

// The first of those before `index` that takes all that the mask does; null: none.
const conf::Destination* taker_of(const conf::Config& config, size_t index, const std::string& mask) {
  for (size_t i = 0; i < index; ++i) {
    const conf::Destination& earlier = config.destinations[i];
    const auto covers = [&mask](const std::string& wide) { return mx::mask_covers(wide, mask); };
    if (std::ranges::any_of(earlier.domains, covers)) return &earlier;
  }
  return nullptr;
}

void check_destination(const conf::Config& config, size_t index, Problems* out) {
  const conf::Destination& destination = config.destinations[index];
  std::vector<std::string> taken;
  std::vector<const conf::Destination*> takers;
  for (const std::string& mask : destination.domains) {
    const conf::Destination* taker = taker_of(config, index, mask);
    if (taker == nullptr) continue;
    if (std::ranges::find(takers, taker) == takers.end()) takers.push_back(taker);
    taken.push_back(mask);
  }
  if (taken.empty()) return;
  const bool all = taken.size() == destination.domains.size(), one = takers.size() == 1;
  std::vector<std::string> names;
  names.reserve(takers.size());
  for (const conf::Destination* taker : takers)
    names.push_back('"' + taker->name + "\" (line " + std::to_string(taker->line) + ')');
  out->push_back({config.file, destination.line, 1,
                  "[[destination]] \"" + destination.name + "\" gets no mail" +
                      (all ? std::string() : " for " + listed(taken)) + ": " + listed(names) +
                      (one ? " stands before it and takes" : " stand before it and take") + " all that " +
                      (all ? "it" : "these") +
                      " would; the first destination that matches decides, so the narrower one goes first",
                  true});
}

// Where all mail goes by smart hosts, these are the only hosts that a mask on MX hosts is compared with.
void check_rules_by_mx(const conf::Config& config, const mx::RuleBook& book, const conf::ConfigWords& words,
                       Problems* out) {
  const auto goes_by_mx = [](const conf::Destination& each) { return each.settings.smart_hosts.empty(); };
  if (config.defaults.smart_hosts.empty() || std::ranges::any_of(config.destinations, goes_by_mx)) return;
  std::set<std::string> hosts;
  for (const conf::SmartHost& host : config.defaults.smart_hosts) hosts.insert(host.host);
  for (const conf::Destination& destination : config.destinations)
    for (const conf::SmartHost& host : destination.settings.smart_hosts) hosts.insert(host.host);
  const int line = words.find(words.line_of("[defaults]"), "smart_hosts").line;
  for (const mx::RulePtr& rule : book.rules()) {
    if (rule->shipped || rule->mx.empty()) continue;
    const bool any = std::ranges::any_of(rule->mx, [&hosts](const std::string& mask) {
      return std::ranges::any_of(
          hosts, [&mask](const std::string& host) { return conf::domain_matches(mask, host); });
    });
    if (any) continue;
    out->push_back({rule->file, rule->line, rule->column,
                    "rule \"" + rule->name + "\" does nothing: all mail goes by smart_hosts (" + config.file +
                        ":" + std::to_string(line) + "), so its mx = " + listed(rule->mx) +
                        " is compared with the names of these and matches none; domains = [...] is compared "
                        "with the recipient's domain",
                    true});
  }
}

// Some domain that the mask matches, and hardly a narrower one does.
std::string sample_of(std::string mask) {
  for (char& each : mask)
    if (each == '*' || each == '?') each = '0';
  return mask;
}

bool may_send(const conf::Source& source, std::string_view domain) {
  const auto matches = [domain](const std::string& mask) { return conf::domain_matches(mask, domain); };
  if (source.weight == 0 || std::ranges::any_of(source.exclude_domains, matches)) return false;
  return source.include_domains.empty() || std::ranges::any_of(source.include_domains, matches);
}

// Mail that none of the sources may send waits until it expires. `of`: "" for all, or the stream.
void check_coverage(const conf::Config& config, const std::vector<const conf::Source*>& sources,
                    const std::string& of, int line, Problems* out) {
  const auto covered = [&sources](std::string_view domain) {
    return std::ranges::any_of(sources, [domain](const auto* each) { return may_send(*each, domain); });
  };
  if (std::ranges::none_of(sources, [](const auto* each) { return each->weight > 0; })) return;
  std::set<std::string> asked;
  std::vector<std::string> left_out;
  for (const conf::Source* each : sources) {
    for (const auto* masks : {&each->exclude_domains, &each->include_domains})
      for (const std::string& mask : *masks)
        if (asked.insert(mask).second && !covered(sample_of(mask))) left_out.push_back(mask);
  }
  std::string what;
  if (!asked.contains("*") && !covered("0.invalid"))
    what = "mail" + of + " to domains that no include_domains names";
  else if (!left_out.empty())
    what = "mail" + of + " to " + listed(left_out);
  if (what.empty()) return;
  out->push_back({config.file, line, 1,
                  what + " cannot leave: no [[source]] with a weight may send there, so it waits until it "
                         "expires; one source without include_domains and exclude_domains takes the rest",
                  true});
}

bool same_masks(std::vector<std::string> one, std::vector<std::string> other) {
  std::ranges::sort(one);
  std::ranges::sort(other);
  return one == other;
}

// Whether any mail that may leave from the one may leave from the other, too: no stream tells them apart.
bool same_mail(const conf::Config& config, const conf::Source& one, const conf::Source& other) {
  return same_masks(one.include_domains, other.include_domains) &&
         same_masks(one.exclude_domains, other.exclude_domains) &&
         std::ranges::all_of(config.streams, [&](const conf::Stream& stream) {
           return stream.sources.contains(one.id) == stream.sources.contains(other.id);
         });
}

// A receiver knows a sender by its address: it sees one, and all limits hold for each of the two.
void check_twins(const conf::Config& config, const conf::ConfigWords& words, Problems* out) {
  for (size_t i = 1; i < config.sources.size(); ++i) {
    const conf::Source& source = config.sources[i];
    const auto end = config.sources.begin() + static_cast<ptrdiff_t>(i);
    const auto twin = std::find_if(config.sources.begin(), end, [&](const conf::Source& earlier) {
      return earlier.weight > 0 && mx::same_address(earlier.address, source.address) &&
             same_mail(config, earlier, source);
    });
    if (source.weight == 0 || twin == end) continue;
    const int table = words.line_of("[[source]] " + source.name);
    out->push_back({config.file, std::max(words.find(table, "address").line, 1), 1,
                    "[[source]] \"" + source.name + "\" sends the same mail from the same address as \"" +
                        twin->name + "\" (line " + std::to_string(words.line_of("[[source]] " + twin->name)) +
                        "): receivers see one sender, and what is counted by source is let through for each "
                        "of the two; one source with their weights together is enough, or streams, "
                        "include_domains and exclude_domains tell them apart",
                    true});
  }
}

void check_sources(const conf::Config& config, const conf::ConfigWords& words, Problems* out) {
  std::vector<const conf::Source*> all;
  for (const conf::Source& each : config.sources) all.push_back(&each);
  const size_t before = out->size();
  const int line = words.line_of("[[source]] " + config.sources.front().name);
  check_coverage(config, all, "", std::max(line, 1), out);
  if (out->size() != before) return;  // of a stream the same would be said again
  for (const conf::Stream& stream : config.streams) {
    std::vector<const conf::Source*> some;
    for (const conf::Source& each : config.sources)
      if (stream.sources.contains(each.id)) some.push_back(&each);
    check_coverage(config, some, " of [[stream]] \"" + stream.name + "\"", stream.line, out);
  }
}

}  // namespace

void add_reach_mistakes(const conf::Config& config, const mx::RuleBook& book, const conf::ConfigWords& words,
                        Problems* out) {
  for (size_t i = 0; i < config.destinations.size(); ++i) check_destination(config, i, out);
  check_rules_by_mx(config, book, words, out);
  check_sources(config, words, out);
  check_twins(config, words, out);
}

}  // namespace relay
