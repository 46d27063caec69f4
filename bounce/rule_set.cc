#include "bounce/rule_set.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "bounce/atom_finder.h"
#include "bounce/diagnostic.h"
#include "bounce/fold.h"
#include "bounce/qualifier.h"
#include "bounce/text_template.h"
#include "conf/vocab/check.h"

namespace bounce {

namespace {

std::string named(const ReplyRule& rule) { return "rule \"" + rule.name + "\""; }

// `by`: the rule that decides the example instead; null: none.
std::string not_decided(const ReplyRule& rule, const std::string& line, const ReplyRule* by) {
  const std::string who = by == nullptr ? "no rule decides it" : named(*by) + " decides it";
  return named(rule) + ": its example \"" + line + "\": " + who;
}

constexpr int kLeastAtom = 3;  // octets; shorter ones occur everywhere and filter nothing

constexpr size_t kLong = 2000;  // octets of an expression into which a list of words is written out

RE2::Options set_options(const std::string& expression) {
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  options.set_never_capture(true);
  // Room for the states of a sentence over two lists of words, and more for a list of a thousand words;
  // without it RE2 walks a way that takes a hundred times as long.
  options.set_max_mem(expression.size() > kLong ? 32 << 20 : 2 << 20);
  return options;
}

bool fits_one(const std::vector<std::string>& masks, std::string_view text) {
  return masks.empty() ||
         std::ranges::any_of(masks, [&](const std::string& mask) { return fits_mask(mask, text); });
}

// A host that a mask fits, for the examples of a rule.
std::string sample_of(const std::vector<std::string>& masks) {
  if (masks.empty()) return {};
  std::string sample = masks.front();
  std::ranges::replace(sample, '*', 'x');
  std::ranges::replace(sample, '?', 'x');
  return sample;
}

}  // namespace

struct RuleSet::Expressions {
  re2::FilteredRE2 wanted{kLeastAtom};
  std::vector<size_t> rule_of;                 // expression -> rule
  std::vector<std::unique_ptr<RE2>> unwanted;  // of each rule: all that must not match; null: nothing
  // What must not match and is long, as a list that guards many rules: tried once for a text.
  std::vector<std::unique_ptr<RE2>> guards;
  std::map<std::string, size_t> known_guards;  // text -> guard
  std::vector<std::vector<size_t>> guards_of;  // rule -> guards
  std::unique_ptr<AtomFinder> atoms;

  size_t guard(const std::string& text);
};

size_t RuleSet::Expressions::guard(const std::string& text) {
  const auto [known, is_new] = known_guards.emplace(text, guards.size());
  if (is_new) {
    const std::string folded = fold_pattern(text);
    guards.push_back(std::make_unique<RE2>(folded, set_options(folded)));
    CHECK(guards.back()->ok());
  }
  return known->second;
}

RuleSet::RuleSet(std::vector<ReplyRule> rules)
    : rules_(std::move(rules)), expressions_(std::make_unique<Expressions>()) {
  expressions_->unwanted.resize(rules_.size());
  expressions_->guards_of.resize(rules_.size());
  for (size_t i = 0; i < rules_.size(); ++i) {
    places_.mx |= !rules_[i].mx.empty();
    places_.domains |= !rules_[i].domains.empty();
    places_.sources |= !rules_[i].sources.empty();
    if (rules_[i].text.empty()) textless_.push_back(i);
    for (const std::string& text : rules_[i].text) {
      int id = 0;
      CHECK(expressions_->wanted.Add(fold_pattern(text), set_options(text), &id) == RE2::NoError);
      CHECK(static_cast<size_t>(id) == expressions_->rule_of.size());
      expressions_->rule_of.push_back(i);
    }
    std::string unwanted;
    for (const std::string& text : rules_[i].not_text) {
      if (text.size() > kLong) {
        expressions_->guards_of[i].push_back(expressions_->guard(text));
      } else {
        unwanted += (unwanted.empty() ? "(?:" : "|(?:") + fold_pattern(text) + ')';
      }
    }
    if (unwanted.empty()) continue;
    expressions_->unwanted[i] = std::make_unique<RE2>(unwanted, set_options(unwanted));
    CHECK(expressions_->unwanted[i]->ok());
  }
  if (expressions_->rule_of.empty()) return;
  std::vector<std::string> atoms;
  expressions_->wanted.Compile(&atoms);
  expressions_->atoms = std::make_unique<AtomFinder>(atoms);
}

RuleSet::~RuleSet() = default;

bool RuleSet::fits(size_t index, const Occasion& occasion, std::string_view folded,
                   const std::vector<size_t>& candidates, Guarded* guarded) const {
  const ReplyRule& rule = rules_[index];
  const Reply& reply = *occasion.reply;
  if (!occasion.anywhere && rule.stages != 0 && (rule.stages & (1U << static_cast<int>(occasion.stage))) == 0)
    return false;
  if (rule.without_status && reply.enhanced.present()) return false;
  if (!rule.codes.empty() &&
      std::ranges::none_of(rule.codes, [&](const CodeMask& mask) { return mask.fits(reply.code); }))
    return false;
  if (!rule.statuses.empty() &&
      std::ranges::none_of(rule.statuses, [&](const StatusMask& mask) { return mask.fits(reply.enhanced); }))
    return false;
  if (!occasion.anywhere &&
      (!fits_one(rule.mx, occasion.mx_host) || !fits_one(rule.domains, occasion.recipient_domain) ||
       !fits_one(rule.sources, occasion.source)))
    return false;
  const re2::StringPiece text(folded.data(), folded.size());
  if (!rule.text.empty() && std::ranges::none_of(candidates, [&](size_t expression) {
        return expressions_->rule_of[expression] == index &&
               RE2::PartialMatch(text, expressions_->wanted.GetRE2(static_cast<int>(expression)));
      }))
    return false;
  const std::unique_ptr<RE2>& unwanted = expressions_->unwanted[index];
  if (unwanted != nullptr && RE2::PartialMatch(text, *unwanted)) return false;
  return std::ranges::none_of(expressions_->guards_of[index], [&](size_t guard) {
    std::optional<bool>& matches = (*guarded)[guard];
    if (!matches) matches = RE2::PartialMatch(text, *expressions_->guards[guard]);
    return *matches;
  });
}

const ReplyRule* RuleSet::find(const Occasion& occasion, std::string_view folded) const {
  thread_local std::vector<int> atoms, potential;
  thread_local std::vector<size_t> expressions;
  thread_local Guarded guarded;
  guarded.assign(expressions_->guards.size(), std::nullopt);
  expressions.clear();
  if (expressions_->atoms != nullptr) {
    expressions_->atoms->find(folded, &atoms);
    expressions_->wanted.AllPotentials(atoms, &potential);
    for (const int expression : potential) expressions.push_back(static_cast<size_t>(expression));
  }
  // Expressions were added rule by rule, and come back in their order: two ordered lists are walked side by
  // side.
  size_t next = 0;
  auto plain = textless_.begin();
  size_t last = rules_.size();
  std::vector<size_t> own;
  while (next < expressions.size() || plain != textless_.end()) {
    const size_t by_text =
        next < expressions.size() ? expressions_->rule_of[expressions[next]] : rules_.size();
    const size_t rule = plain != textless_.end() && *plain < by_text ? *plain++ : by_text;
    own.clear();
    while (next < expressions.size() && expressions_->rule_of[expressions[next]] == rule)
      own.push_back(expressions[next++]);
    if (rule == last) continue;
    last = rule;
    if (fits(rule, occasion, folded, own, &guarded)) return &rules_[rule];
  }
  return nullptr;
}

std::vector<conf::Problem> RuleSet::check_examples(bool local_only) const {
  std::vector<conf::Problem> problems;
  const auto decides = [&](const ReplyRule& rule, const std::string& line) {
    const Reply reply = read_diagnostic(line);
    Occasion occasion;
    occasion.reply = &reply;
    for (int i = 0; i <= static_cast<int>(Stage::kLogin) && rule.stages != 0; ++i) {
      if ((rule.stages & (1U << i)) == 0) continue;
      occasion.stage = static_cast<Stage>(i);
      break;
    }
    const std::string mx = sample_of(rule.mx), domain = sample_of(rule.domains),
                      source = sample_of(rule.sources);
    occasion.mx_host = mx;
    occasion.recipient_domain = domain;
    occasion.source = source;
    return find(occasion, folded_template(text_template(reply)));
  };
  for (const ReplyRule& rule : rules_) {
    if (rule.shipped && local_only) continue;
    for (const ReplyRule::Example& example : rule.match) {
      const ReplyRule* by = decides(rule, example.reply);
      if (by == &rule) continue;
      problems.push_back({rule.file, example.line, example.column, not_decided(rule, example.reply, by)});
    }
    for (const ReplyRule::Example& example : rule.no_match) {
      if (decides(rule, example.reply) == &rule)
        problems.push_back({rule.file, example.line, example.column,
                            named(rule) + ": decides \"" + example.reply + "\", which it must not"});
    }
  }
  return problems;
}

}  // namespace bounce
