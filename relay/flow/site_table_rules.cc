// What the rules of now decide: for paths, and for what was counted under the rules before them.
#include <algorithm>

#include "relay/flow/site_key.h"
#include "relay/flow/site_table.h"

namespace relay::queue {

namespace {

std::vector<std::string> names_of_hosts(const mx::Route& route) {
  std::vector<std::string> names;
  for (const mx::RouteHost& host : route.hosts) names.push_back(host.name);
  return names;
}

// "a.example:25, b.example:25": without the ports.
std::vector<std::string> hosts_of_label(std::string_view label) {
  std::vector<std::string> hosts;
  while (!label.empty()) {
    const size_t comma = std::min(label.find(','), label.size());
    hosts.emplace_back(label.substr(0, std::min(label.find(':'), comma)));
    label.remove_prefix(std::min(comma + 1, label.size()));
  }
  return hosts;
}

}  // namespace

mx::RulePtr SiteTable::rule_for(DomainEntry* domain, const conf::Source& source) {
  if (book_ == nullptr) return nullptr;
  if (domain->rules.empty()) {
    domain->rules = book_->candidates(domain->name.text(), names_of_hosts(*domain->route));
  }
  return mx::RuleBook::first_for(domain->rules, source.id);
}

mx::RuleBook::Candidates SiteTable::candidates(const DomainEntry& domain,
                                               const std::vector<std::string>& hosts) const {
  if (book_ == nullptr || !domain.rules.empty()) return domain.rules;
  return book_->candidates(domain.name.text(), hosts);
}

// The same for whoever only looks: `rules` are not there after the route was found anew.
mx::RulePtr SiteTable::rule_now(const DomainEntry& domain, const conf::Source& source) const {
  if (book_ == nullptr || !domain.rules.empty()) return mx::RuleBook::first_for(domain.rules, source.id);
  return mx::RuleBook::first_for(book_->candidates(domain.name.text(), names_of_hosts(*domain.route)),
                                 source.id);
}

// Whether the rule still decides for a site with these hosts, and counts that together. One with masks on
// domains decides for those, and what follows it for the others.
bool SiteTable::is_current(const mx::CounterNames& names) const {
  if (book_ == nullptr) return names.rule.empty();
  const mx::RulePtr rule = names.rule.empty() ? nullptr : book_->named(names.rule);
  if (rule == nullptr && !names.rule.empty()) return false;
  const bool one_site = rule != nullptr && rule->values.one_site.value_or(false);
  const auto scope =
      rule == nullptr ? conf::RuleScope::kSource : rule->values.scope.value_or(conf::RuleScope::kSource);
  if ((names.source == "*") != (scope == conf::RuleScope::kPool)) return false;
  if (names.site == "*") return one_site || scope == conf::RuleScope::kPath;
  if (rule != nullptr && !rule->domains.empty()) return true;
  const std::vector<std::string> hosts = hosts_of_label(label_of(names.site));
  return std::ranges::any_of(config_->sources, [&](const conf::Source& source) {
    if (names.source != source.name && names.source != "*") return false;
    return book_->match({}, hosts, source.id) == rule;
  });
}

std::string SiteTable::deciding_rule(const mx::CounterNames& names) const {
  if (book_ == nullptr || is_current(names)) return names.rule;
  if (names.site == "*") {  // no hosts are known of it: a rule of the same masks has taken it over
    const std::string now = limiters_.rules().renamed(names.rule);
    return now.empty() ? names.rule : now;
  }
  const std::vector<std::string> hosts = hosts_of_label(label_of(names.site));
  for (const conf::Source& source : config_->sources) {
    if (names.source != source.name && names.source != "*") continue;
    const mx::RulePtr rule = book_->match({}, hosts, source.id);
    return rule == nullptr ? std::string() : rule->name;
  }
  return names.rule;
}

// By its hosts alone. Of rules for domains, and of those that lead elsewhere, these say nothing.
bool SiteTable::decides(const Path& path) const {
  if (path.rule != nullptr && (!path.rule->domains.empty() || path.rule->values.smart_hosts.set)) return true;
  return book_ == nullptr || path.route == nullptr ||
         book_->match({}, names_of_hosts(*path.route), path.source.id) == path.rule;
}

void SiteTable::apply_rule(Path* path, mx::RulePtr rule) {
  path->rule = std::move(rule);
  if (path->rule == nullptr) {
    path->settings = path->site->settings;
  } else {
    path->settings = std::make_shared<const conf::DestinationSettings>(
        mx::settings_with(path->rule.get(), *path->site->settings));
  }
  mx::PathLimits limits = mx::limits_for(path->rule.get(), *path->site->settings, path->source.warmup);
  if (limits.one_site && !path->rule->is_about_all(names_of_hosts(*path->route))) limits.one_site = false;
  path->limits = std::make_shared<const mx::PathLimits>(std::move(limits));
  count_anew(path);
}

// For the counters: what each rule matches, and what it counts together.
bool SiteTable::tell_rules() {
  std::vector<mx::RuleChanges::Rule> rules;
  if (book_ != nullptr) {
    for (const mx::RulePtr& rule : book_->rules()) {
      if (rule->is_template()) continue;
      const auto& values = rule->values;
      std::string text = rule->sources.text();
      for (const auto* masks : {&rule->mx, &rule->domains}) {
        text += '\n';
        for (const std::string& mask : *masks) text += mask + ' ';
      }
      const auto scope = static_cast<uint64_t>(values.scope.value_or(conf::RuleScope::kSource));
      rules.push_back({rule->name, mx::hash_that_lasts(text),
                       scope * 2 + (values.one_site.value_or(false) ? 1 : 0), rule->mx});
    }
  }
  rules.push_back({});  // no rule
  return limiters_.rules_are(std::move(rules));
}

}  // namespace relay::queue
