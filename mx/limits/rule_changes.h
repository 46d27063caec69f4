// In which generation of the rules each rule last changed what it decides: a generation begins when rules
// come, go, or change their masks, sources, order, scope or one_site, by a reload or between two runs. What
// was counted before such a change may belong to another rule after it. Kept on disk; pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mx {

class RuleChanges {
 public:
  struct Rule {
    std::string name;
    uint64_t reach = 0;           // a hash of what it matches
    uint64_t shape = 0;           // a hash of what it counts together
    std::vector<std::string> mx;  // its masks on MX hosts; empty: it matches any
  };

  static constexpr uint32_t kFirst = 1;  // generation: nothing was ever edited

  // These rules decide from now on, in this order. True: another generation has begun.
  bool set(std::vector<Rule> rules);
  bool empty() const { return known_.empty(); }
  uint32_t generation() const { return generation_; }
  // When what is known under `one` may last have become a matter of `other` (the same name: when what it
  // counts together changed). 0: never. A rule that nobody remembers has just gone.
  uint32_t changed(std::string_view one, std::string_view other) const;

  // Whether the rule matches a site with these hosts, or did.
  bool may_match(std::string_view rule, const std::vector<std::string>& hosts) const;

  // Whether both may match one site, as far as their masks on MX hosts say.
  bool may_meet(std::string_view one, std::string_view other) const;

  // The rule that has matched and counted the same since `gone` went: that one by another name. "": none.
  std::string renamed(std::string_view gone) const;
  // The same, whatever it counts together.
  std::string matches_as(std::string_view gone) const;

  std::string save() const;
  // Of an earlier run; the rules that were set already are compared with those. False: not readable.
  bool restore(std::string_view saved);

 private:
  struct Known {
    Rule rule;
    bool gone = false;
    uint32_t reach_changed = 0;
    uint32_t shape_changed = 0;
  };
  static constexpr size_t kMostGone = 1000;  // that are remembered
  bool compare();
  const Known* find(std::string_view name) const;
  uint32_t reach_changed(std::string_view name) const;

  std::vector<Rule> now_;
  std::vector<Known> known_;  // in order, those that are gone at the end, the latest first
  uint32_t generation_ = kFirst;
};

}  // namespace mx
