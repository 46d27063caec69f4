// Rules made ready: all expressions of all rules are looked for in one pass over the text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bounce/reply_rule.h"

namespace bounce {

struct Occasion;

class RuleSet {
 public:
  // In the order in which they are tried. What parse_reply_rules has accepted can be made ready.
  explicit RuleSet(std::vector<ReplyRule> rules);
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  // The first rule that fits, or null. `folded` is what they read of it (bounce/text_template.h). Any thread.
  // About a microsecond for a reply of usual length.
  const ReplyRule* find(const Occasion& occasion, std::string_view folded) const;
  const std::vector<ReplyRule>& rules() const { return rules_; }
  // What rules look at besides the reply and the stage.
  struct Places {
    bool mx = false, domains = false, sources = false;
  };
  const Places& places() const { return places_; }

  // Runs the examples of every rule: each of `match` must be decided by its rule, none of `no_match` may be.
  std::vector<conf::Problem> check_examples(bool local_only = false) const;

 private:
  struct Expressions;
  using Guarded = std::vector<std::optional<bool>>;  // whether each long guard matches, once it was tried
  bool fits(size_t rule, const Occasion& occasion, std::string_view folded,
            const std::vector<size_t>& candidates, Guarded* guarded) const;

  std::vector<ReplyRule> rules_;
  Places places_;
  std::vector<size_t> textless_;  // rules that ask for no text
  std::unique_ptr<Expressions> expressions_;
};

}  // namespace bounce
