#include "tests/sim/edits_judge.h"

#include <algorithm>
#include <cstdio>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// See the judge of the limits.
constexpr conf::Duration kOnTheWire = 61ms;
constexpr conf::Duration kOverlap = 60ms;
constexpr conf::Duration kUnsaved = 2500ms;
// What was decided by the rules before an edit is on the wire by then, and the reload has gone over all
// paths.
constexpr conf::Duration kReload = 1s;

struct Where {
  size_t site = 0, domain = 0, source = 0;
  std::string address;
};

class EditsJudge {
 public:
  EditsJudge(const History& seen, const EditHistory& told) : seen_(seen), told_(told) {}
  std::vector<std::string> run() {
    for (const SeenMail& mail : seen_.mails) where_.push_back(where_of(mail));
    for (size_t i = 0; i < seen_.mails.size(); ++i) judge_mail(i);
    judge_connections();
    judge_blocks();
    return violations_;
  }

 private:
  void violate(conf::Instant at, const std::string& what) {
    if (violations_.size() < 20)
      violations_.push_back("at " + std::to_string(at.time_since_epoch().count()) + " us: " + what);
  }
  Where where_of(const SeenMail& mail) const {
    const SeenSession& session = seen_.sessions[mail.session];
    Where where{session.site, 0, session.source, session.address};
    unsigned site = 0, domain = 0;
    if (std::sscanf(mail.from.c_str(), "d%u-%u.", &site, &domain) == 2) where.domain = domain;
    return where;
  }
  const Rules& rules_at(conf::Instant at) const {
    const Rules* rules = &told_.rules.front().second;
    for (const auto& [since, each] : told_.rules)
      if (since <= at) rules = &each;
    return *rules;
  }
  bool was_edited(conf::Instant from, conf::Instant to) const {
    return std::ranges::any_of(told_.rules,
                               [&](const auto& each) { return each.first > from && each.first <= to; });
  }
  // Whether the rules count both together.
  static bool together(const Rules& rules, const Where& one, const Where& other) {
    const size_t rule = decides(rules, one.site, one.domain);
    if (decides(rules, other.site, other.domain) != rule) return false;
    if (rules[rule].scope == CountedBy::kPath)
      return one.source == other.source && one.address == other.address;
    return (rules[rule].one_site || one.site == other.site) &&
           (rules[rule].scope == CountedBy::kPool || one.source == other.source);
  }
  void judge_window(size_t index, conf::Duration window, const char* what, uint32_t WrittenRule::*limit) {
    const conf::Instant at = seen_.mails[index].at;
    const auto is_kept = [&](const Rules& rules) {
      uint32_t count = 0;
      for (size_t i = index + 1; i-- > 0 && seen_.mails[i].at > at - window;)
        count += together(rules, where_[index], where_[i]) ? 1 : 0;
      return count <= rules[decides(rules, where_[index].site, where_[index].domain)].*limit;
    };
    if (is_kept(rules_at(at)) || is_kept(rules_at(at - kReload))) return;
    for (const auto& [since, rules] : told_.rules)
      if (since > at - kReload && since <= at && is_kept(rules)) return;
    violate(at, "more than " + std::string(what) + " allows to site " + std::to_string(where_[index].site) +
                    " from source " + std::to_string(where_[index].source));
  }
  void judge_mail(size_t index) {
    judge_window(index, 1h, "messages_per_hour", &WrittenRule::per_hour);
    judge_window(index, 1min, "rate", &WrittenRule::per_minute);
  }
  // Of rules that do not part domains: nobody sees of which a connection is.
  void judge_connections() {
    for (const SeenSession& session : seen_.sessions) {
      const Rules& rules = rules_at(session.opened);
      if (was_edited(session.opened - kReload, session.opened)) continue;
      if (std::ranges::any_of(rules, &WrittenRule::one_domain)) continue;
      const Where where{session.site, 0, session.source, session.address};
      uint32_t open = 0;
      for (const SeenSession& other : seen_.sessions) {
        if (other.opened > session.opened) break;
        if (&other != &session && other.closed <= session.opened + kOverlap) continue;
        open += together(rules, where, {other.site, 0, other.source, other.address}) ? 1 : 0;
      }
      if (open > rules[decides(rules, where.site, 0)].max_connections)
        violate(session.opened,
                std::to_string(open) + " connections at once to site " + std::to_string(where.site));
    }
  }
  // What a block is about stays blocked until its end, whatever becomes of the rules.
  void judge_blocks() {
    for (const SeenDecision& block : seen_.decisions) {
      if (block.what->action != conf::DecisionAction::kBlock) continue;
      const Rules* rules = nullptr;
      for (const auto& [since, each] : told_.rules)
        if (since <= block.at && std::ranges::find(each, block.what->rule, &WrittenRule::name) != each.end())
          rules = &each;
      if (rules == nullptr) continue;
      const bool lost = std::ranges::any_of(seen_.crashes, [&](conf::Instant crash) {
        return crash >= block.at && crash - block.at < kUnsaved;
      });
      for (size_t i = 0; i < seen_.mails.size() && !lost; ++i) {
        const conf::Instant at = seen_.mails[i].at;
        if (at <= block.at + kOnTheWire || at >= block.until) continue;
        const WrittenRule& rule = (*rules)[decides(*rules, where_[i].site, where_[i].domain)];
        if (rule.name != block.what->rule || where_[i].site != block.site) continue;
        if (rule.scope != CountedBy::kPool && where_[i].source != block.source) continue;
        violate(at, "a message to site " + std::to_string(block.site) + " from source " +
                        std::to_string(where_[i].source) + " during a block by " + block.what->rule);
      }
    }
  }

  const History& seen_;
  const EditHistory& told_;
  std::vector<Where> where_;  // of each mail
  std::vector<std::string> violations_;
};

}  // namespace

std::string sender_to(size_t site, size_t domain, uint64_t message) {
  return "d" + std::to_string(site) + '-' + std::to_string(domain) + ".m" + std::to_string(message) +
         "@sender.test";
}

size_t decides(const Rules& rules, size_t site, size_t domain) {
  for (size_t i = 0; i + 1 < rules.size(); ++i) {
    if (rules[i].site >= 0 && rules[i].site != static_cast<int>(site)) continue;
    if (!rules[i].one_domain || domain == 0) return i;
  }
  return rules.size() - 1;
}

std::vector<std::string> judge_edits(const History& seen, const EditHistory& told) {
  return EditsJudge(seen, told).run();
}

}  // namespace sim
