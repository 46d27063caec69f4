#include "mx/rules/rule_book.h"

#include <algorithm>
#include <map>
#include <utility>

#include "conf/vocab/address.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/spelling.h"
#include "mx/rules/rule_check.h"

namespace mx {

namespace {

bool any_matches(const std::vector<std::string>& masks, std::string_view name) {
  return std::ranges::any_of(masks, [name](const std::string& m) { return conf::domain_matches(m, name); });
}

// Whatever the source.
bool matches(const Rule& rule, std::string_view domain, std::span<const std::string> hosts) {
  if (rule.is_template()) return false;
  if (!rule.domains.empty() && !any_matches(rule.domains, domain)) return false;
  return rule.mx.empty() ||
         std::ranges::any_of(hosts, [&rule](const std::string& host) { return any_matches(rule.mx, host); });
}

// A mask that every name matches.
bool is_all(const std::string& mask) { return mask.find_first_not_of('*') == std::string::npos; }

std::vector<std::string> globs(const std::vector<conf::RuleMask>& masks) {
  std::vector<std::string> out;
  out.reserve(masks.size());
  for (const conf::RuleMask& mask : masks) out.push_back(mask.glob);
  return out;
}

}  // namespace

bool Rule::is_about_all(std::span<const std::string> hosts) const {
  return mx.empty() || !domains.empty() || values.smart_hosts.set ||
         std::ranges::all_of(hosts, [this](const std::string& host) { return any_matches(mx, host); });
}

std::string Rule::place(int line_of_threshold) const {
  const bool of_rule = line_of_threshold == 0;
  return (of_rule ? file : values.thresholds.origin.file) + ':' +
         std::to_string(of_rule ? line : line_of_threshold);
}

struct RuleBookBuilder {
  explicit RuleBookBuilder(const std::vector<conf::MxRule>& all) : written(all), rules(all.size()) {}

  const std::vector<conf::MxRule>& written;
  std::vector<std::shared_ptr<Rule>> rules;  // resolved so far, by position in `written`
  std::vector<conf::Problem> problems;

  void report_parent(const conf::MxRule& rule, std::string message) {
    const bool known = rule.inherit_line != 0;
    problems.push_back({rule.file, known ? rule.inherit_line : rule.line,
                        known ? rule.inherit_column : rule.column, std::move(message)});
  }

  void check_names() {
    std::map<std::pair<bool, std::string>, const conf::MxRule*> seen;
    for (const conf::MxRule& rule : written) {
      const auto [first, fresh] = seen.emplace(std::pair(rule.shipped, rule.name), &rule);
      if (fresh) continue;
      problems.push_back({rule.file, rule.line, rule.column,
                          "a rule named \"" + rule.name + "\" is already at " + first->second->file + ":" +
                              std::to_string(first->second->line)});
    }
  }

  // The parent by name: a local rule finds local ones first, a shipped rule only shipped ones, so that a
  // local name cannot change what is shipped. A rule never finds itself: a local "google" may inherit the
  // shipped one.
  size_t parent_of(size_t child) const {
    for (const bool shipped : {false, true}) {
      if (!shipped && written[child].shipped) continue;
      for (size_t i = 0; i < written.size(); ++i) {
        if (i != child && written[i].shipped == shipped && written[i].name == written[child].inherit)
          return i;
      }
    }
    return written.size();
  }

  // A parent whose name is near.
  std::string meant_by(const conf::MxRule& child) const {
    std::vector<std::string> names;
    for (const conf::MxRule& rule : written) {
      if (rule.name != child.name && (rule.shipped || !child.shipped)) names.push_back(rule.name);
    }
    const std::string near = conf::nearest(child.inherit, names);
    if (near.empty() || near.front() != child.inherit.front()) return "";  // there are many names
    return "; did you mean \"" + near + "\"?";
  }

  static Rule heading(const conf::MxRule& from) {
    Rule rule;
    rule.name = from.name;
    rule.file = from.file;
    rule.line = from.line;
    rule.column = from.column;
    rule.shipped = from.shipped;
    rule.mx = globs(from.mx);
    rule.domains = globs(from.domains);
    conf::Result<conf::SourceSet> sources = conf::SourceSet::parse(from.sources);
    if (sources.ok()) rule.sources = std::move(sources).value();
    return rule;
  }

  // The chain of parents from `index` up. False after it was reported that the chain has no end.
  bool chain_of(size_t index, std::vector<size_t>* chain) {
    for (size_t at = index;;) {
      if (std::ranges::find(*chain, at) != chain->end()) {
        report_parent(written[index], "rule \"" + written[index].name +
                                          "\" inherits from itself by way of \"" + written[at].inherit +
                                          "\"");
        return false;
      }
      chain->push_back(at);
      if (written[at].inherit.empty()) return true;
      const size_t parent = parent_of(at);
      if (parent == written.size()) {
        if (at == index) {
          report_parent(written[at],
                        "no " + std::string(written[at].shipped ? "shipped " : "") + "rule is named \"" +
                            written[at].inherit + "\" to inherit from" +
                            (written[at].inherit == written[at].name ? " (a rule cannot be its own parent)"
                                                                     : meant_by(written[at])));
        }
        return true;
      }
      at = parent;
    }
  }

  void apply(const conf::MxRule& from, Rule* rule) const {
    for_each_field(from.fields, rule->values, [&from](const char*, const auto& field, auto& value) {
      using State = typename std::decay_t<decltype(field)>::State;
      if (field.state == State::kInherited) return;
      value.set = field.state == State::kSet;
      value.value = field.value;
      const bool known = field.line != 0;
      value.origin = {from.name, from.file, known ? field.line : from.line,
                      known ? field.column : from.column, from.shipped};
    });
  }

  void resolve(size_t index) {
    check_heading(written[index], &problems);
    rules[index] = std::make_shared<Rule>(heading(written[index]));
    std::vector<size_t> chain;
    if (!chain_of(index, &chain)) return;
    for (size_t i = chain.size(); i-- > 0;) apply(written[chain[i]], rules[index].get());
    std::vector<conf::Problem> found;
    check_values(*rules[index], &found);
    // What a parent does wrong by itself is said once, at the parent.
    for (conf::Problem& problem : found) {
      const bool known = std::ranges::any_of(problems, [&problem](const conf::Problem& p) {
        return p.file == problem.file && p.line == problem.line && p.message == problem.message;
      });
      if (!known) problems.push_back(std::move(problem));
    }
  }

  void rank(RuleBook* book) const {
    // By class: domain masks, then hosts, then from the first general case on; the local ones first in each.
    std::map<std::pair<int, bool>, std::vector<RulePtr>> classes;
    std::map<bool, bool> general;  // seen among the local ones, the shipped ones
    for (const std::shared_ptr<Rule>& rule : rules) {
      general[rule->shipped] |= rule->domains.empty() && rule->is_general();
      const int rank = !rule->domains.empty() ? 0 : general[rule->shipped] ? 2 : 1;
      classes[{rank, rule->shipped}].push_back(rule);
    }
    for (const auto& [place, members] : classes)
      book->rules_.insert(book->rules_.end(), members.begin(), members.end());
  }

  BuiltRules build() {
    check_names();
    for (size_t i = 0; i < written.size(); ++i) resolve(i);
    auto book = std::make_shared<RuleBook>();
    rank(book.get());
    const bool failed = conf::has_error(problems);
    if (!failed) check_shadows(book->rules_, &problems);
    conf::sort_problems(written.empty() ? "" : written.front().file, &problems);
    return {failed ? nullptr : RuleBookPtr(book), std::move(problems)};
  }
};

std::string RuleOrigin::text() const { return file + ":" + std::to_string(line) + " (rule " + rule + ")"; }

RulePtr RuleBook::match(std::string_view domain, std::span<const std::string> hosts, uint32_t source) const {
  for (const RulePtr& rule : rules_) {
    if (rule->sources.contains(source) && matches(*rule, domain, hosts)) return rule;
  }
  return nullptr;
}

RuleBook::Candidates RuleBook::candidates(std::string_view domain, std::span<const std::string> hosts) const {
  Candidates found;
  for (const RulePtr& rule : rules_) {
    if (!matches(*rule, domain, hosts)) continue;
    found.push_back(rule);
    if (rule->sources.is_all()) return found;
  }
  found.push_back(nullptr);
  return found;
}

RulePtr RuleBook::first_for(const Candidates& candidates, uint32_t source) {
  for (const RulePtr& rule : candidates) {
    if (rule != nullptr && rule->sources.contains(source)) return rule;
  }
  return nullptr;
}

bool Rule::is_general() const {
  const auto every = [](const std::vector<std::string>& masks) {
    return masks.empty() || std::ranges::any_of(masks, is_all);
  };
  return !is_template() && sources.is_all() && every(mx) && every(domains);
}

RulePtr RuleBook::certain_match(std::string_view domain) const {
  for (const RulePtr& rule : rules_) {
    if (rule->is_template() || (!rule->domains.empty() && !any_matches(rule->domains, domain))) continue;
    const bool any_host = rule->mx.empty() || std::ranges::any_of(rule->mx, is_all);
    return any_host && rule->sources.is_all() ? rule : nullptr;
  }
  return nullptr;
}

RulePtr RuleBook::named(std::string_view name) const {
  for (const bool shipped : {false, true}) {
    for (const RulePtr& rule : rules_) {
      if (rule->shipped == shipped && rule->name == name) return rule;
    }
  }
  return nullptr;
}

BuiltRules build_rules(const std::vector<conf::MxRule>& written) { return RuleBookBuilder(written).build(); }

// `narrow` read as a text in which its own '*' can only be eaten by a '*' of `wide`, and its '?' by either.
bool mask_covers(std::string_view wide, std::string_view narrow) {
  size_t w = 0, n = 0;
  size_t star = std::string_view::npos, retry = 0;
  while (n < narrow.size()) {
    if (w < wide.size() && wide[w] == '*') {
      star = w++;
      retry = n;
    } else if (w < wide.size() && narrow[n] != '*' &&
               (wide[w] == '?' || conf::ascii_lower(wide[w]) == conf::ascii_lower(narrow[n]))) {
      ++w;
      ++n;
    } else if (star != std::string_view::npos) {
      w = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (w < wide.size() && wide[w] == '*') ++w;
  return w == wide.size();
}

}  // namespace mx
