#include "relay/host/rule_protection.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "conf/vocab/address.h"
#include "mx/rules/rule_check.h"

namespace relay {
namespace {

using conf::Problem;
using Problems = std::vector<Problem>;

constexpr size_t kRulesInWarning = 3;  // by name

// Where people of the great providers have their addresses: a mask that takes one of these takes mail from
// the shipped rule of that provider. Other providers are met by masks with a wildcard only, as far as one can
// tell without asking for the MX hosts.
struct ProviderDomain {
  std::string_view domain;
  std::string_view rule;
};
constexpr std::array kProviderDomains = {
    ProviderDomain{"gmail.com", "google"},
    ProviderDomain{"googlemail.com", "google"},
    ProviderDomain{"outlook.com", "microsoft-consumer"},
    ProviderDomain{"hotmail.com", "microsoft-consumer"},
    ProviderDomain{"live.com", "microsoft-consumer"},
    ProviderDomain{"msn.com", "microsoft-consumer"},
    ProviderDomain{"yahoo.com", "yahoo"},
    ProviderDomain{"ymail.com", "yahoo"},
    ProviderDomain{"aol.com", "yahoo"},
    ProviderDomain{"icloud.com", "icloud"},
    ProviderDomain{"me.com", "icloud"},
    ProviderDomain{"mac.com", "icloud"},
    ProviderDomain{"comcast.net", "comcast"},
};

std::string where(const mx::Rule& rule) {
  return rule.file + ":" + std::to_string(rule.line) + ":" + std::to_string(rule.column);
}

// Neither set nor, in so many words, left out.
template <typename T>
bool never_mentioned(const mx::RuleValue<T>& value) {
  return !value.set && value.origin.line == 0;
}

bool has_wildcard(const std::string& mask) { return mask.find_first_of("*?") != std::string::npos; }

// Every mask of `narrow` is covered by one of `wide`; a rule without masks of that kind takes all.
bool all_covered(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
  if (wide.empty()) return true;
  const auto covered = [&wide](std::string_view mask) {
    return std::ranges::any_of(wide, [mask](const std::string& w) { return mx::mask_covers(w, mask); });
  };
  return narrow.empty() ? covered("*") : std::ranges::all_of(narrow, covered);
}

// Whether `earlier` takes everything that `later` is for.
bool takes_all_of(const mx::Rule& earlier, const mx::Rule& later) {
  return !earlier.is_template() && all_covered(earlier.domains, later.domains) &&
         all_covered(earlier.mx, later.mx);
}

// How sure it is that mail to the domains of a rule leads to a provider.
enum class Meeting { kNever, kPerhaps, kCertainly };

Meeting meets(const mx::Rule& own, const mx::Rule& shipped) {
  if (!own.mx.empty() && !mx::masks_meet(own.mx, shipped.mx)) return Meeting::kNever;
  if (own.domains.empty() || !own.mx.empty()) return Meeting::kCertainly;
  bool of_others = false;
  for (const ProviderDomain& known : kProviderDomains) {
    const bool taken = std::ranges::any_of(
        own.domains, [&known](const std::string& mask) { return conf::domain_matches(mask, known.domain); });
    if (!taken) continue;
    if (known.rule == shipped.name) return Meeting::kCertainly;
    of_others = true;
  }
  if (std::ranges::any_of(own.domains, has_wildcard)) return Meeting::kCertainly;
  return of_others ? Meeting::kNever : Meeting::kPerhaps;
}

// What a rule loses against a shipped one whose mail it takes, or the most against several.
struct Lost {
  bool threshold = false;  // none is left
  size_t had = 0;          // above 0: of so many thresholds ...
  size_t left = 0;         // ... only these are left
  bool one_site = false;

  bool any() const { return threshold || had > 0 || one_site; }
  void add(const Lost& more) {
    threshold |= more.threshold;
    one_site |= more.one_site;
    if (more.had <= had) return;
    had = more.had;
    left = more.left;
  }
};

// Where a single domain leads is not known: it loses the threshold wherever that is, and is counted by itself
// on purpose.
Lost lost_against(const mx::Rule& own, const mx::Rule& shipped, Meeting meeting) {
  Lost lost;
  const auto& thresholds = own.values.thresholds;
  lost.threshold = shipped.values.thresholds.set && never_mentioned(thresholds);
  if (meeting != Meeting::kCertainly) return lost;
  const size_t had = shipped.values.thresholds.value.size();
  if (thresholds.set && thresholds.origin.shipped && thresholds.value.size() < had) {
    lost.had = had;
    lost.left = thresholds.value.size();
  }
  lost.one_site = shipped.values.one_site.value && never_mentioned(own.values.one_site);
  return lost;
}

std::string text_of(const Lost& lost, const mx::Rule& own) {
  std::string text;
  const auto say = [&text](const std::string& part) { text += (text.empty() ? "" : ", and ") + part; };
  if (lost.threshold) say("no threshold blocks");
  if (lost.had > 0) {
    say("of " + std::to_string(lost.had) + " thresholds " + std::to_string(lost.left) +
        " is left, of rule \"" + own.values.thresholds.origin.rule + "\"");
  }
  if (lost.one_site) say("its sites are counted apart (one_site)");
  return text;
}

// What `own` takes from shipped rules, and how they are called.
struct Loss {
  Lost lost;
  std::string names;
  std::string only;  // the name of the first
  size_t count = 0;
  void add(const mx::Rule& shipped, const Lost& against) {
    if (!against.any()) return;
    lost.add(against);
    if (++count <= kRulesInWarning)
      names += (count == 1 ? "\"" : ", \"") + shipped.name + "\" (" + where(shipped) + ")";
    if (count == 1) only = shipped.name;
  }
};

// An earlier rule of one's own has taken that provider from the same sources: there is nothing left to lose.
bool taken_before(const mx::Rule& own, const mx::Rule& shipped, const mx::RuleBook& book) {
  for (const mx::RulePtr& earlier : book.rules()) {
    if (earlier.get() == &own) return false;
    if (!earlier->shipped && earlier->sources.covers(own.sources) && takes_all_of(*earlier, shipped))
      return true;
  }
  return false;
}

Loss loss_of(const mx::Rule& own, const mx::RuleBook& book) {
  Loss providers, general;
  for (const mx::RulePtr& shipped : book.rules()) {
    if (!shipped->shipped || shipped->is_template()) continue;
    const bool is_general = shipped->is_general();
    // A local general case ranks behind the shipped rules of providers: it takes nothing from them.
    if (own.domains.empty() && own.is_general() && !is_general) continue;
    const Meeting meeting = meets(own, *shipped);
    if (meeting == Meeting::kNever || taken_before(own, *shipped, book)) continue;
    (is_general ? general : providers).add(*shipped, lost_against(own, *shipped, meeting));
  }
  return providers.count > 0 ? providers : general;
}

// The template that protects wherever a rule meets several providers, by its name in the shipped file.
std::string parent_for(const Loss& loss, const mx::RuleBook& book) {
  const mx::RulePtr base = book.named("base");
  return loss.count > 1 && base != nullptr && base->shipped ? "base" : loss.only;
}

std::string cure_of(const Loss& loss, const mx::RuleBook& book) {
  const std::string inherit = "add inherit = \"" + parent_for(loss, book) + "\"";
  if (loss.count == 1 && loss.lost.one_site)
    return inherit + ", or say threshold = \"unset\" and one_site = false if it is meant";
  if (!loss.lost.one_site) return inherit + ", or say threshold = \"unset\" if it is meant";
  return inherit +
         " and one_site = false if it is meant, and before it a rule for each provider that is to be one "
         "site: "
         "with the mx and inherit = the name of the shipped rule";
}

// The rules that decide for the source and have no ladder, in the order of their rank.
std::vector<const mx::Rule*> without_ladder(const mx::RuleBook& book, uint32_t source) {
  std::vector<const mx::Rule*> found, earlier;
  for (const mx::RulePtr& rule : book.rules()) {
    if (rule->is_template() || !rule->sources.contains(source)) continue;
    const bool taken =
        std::ranges::any_of(earlier, [&rule](const mx::Rule* other) { return takes_all_of(*other, *rule); });
    earlier.push_back(rule.get());
    if (!taken && never_mentioned(rule->values.warmup)) found.push_back(rule.get());
  }
  return found;
}

// The first ladder that the source climbs; null: it has none.
const mx::Rule* ladder_of(const mx::RuleBook& book, uint32_t source) {
  for (const mx::RulePtr& rule : book.rules()) {
    if (!rule->is_template() && rule->values.warmup.set && rule->sources.contains(source)) return rule.get();
  }
  return nullptr;
}

// Said where the ladder stands that was meant to hold everywhere.
void check_source(const conf::Config& config, const conf::Source& source, const mx::RuleBook& book,
                  Problems* out) {
  const std::vector<const mx::Rule*> bare = without_ladder(book, source.id);
  if (bare.empty()) return;
  std::string names;
  for (size_t i = 0; i < std::min(bare.size(), kRulesInWarning); ++i)
    names += (i == 0 ? "\"" : ", \"") + bare[i]->name + "\" (" + where(*bare[i]) + ")";
  if (bare.size() > kRulesInWarning)
    names += " and " + std::to_string(bare.size() - kRulesInWarning) + " more";
  const mx::Rule* ladder = ladder_of(book, source.id);
  mx::RuleOrigin at;
  if (ladder != nullptr) at = ladder->values.warmup.origin;
  out->push_back({ladder == nullptr ? config.file : at.file, ladder == nullptr ? 1 : at.line, at.column,
                  "source \"" + source.name + "\" warms up, but " +
                      (bare.size() == 1 ? "rule " : "the rules ") + names +
                      (bare.size() == 1 ? " has" : " have") +
                      " no ladder: there it sends at full speed; a rule with mx = [\"*\"], sources = \"" +
                      std::to_string(source.id) +
                      "\" and warmup stands before all shipped rules (warmup = \"unset\" if it is meant)",
                  true});
}

}  // namespace

void check_protection(const mx::Rule& own, const mx::RuleBook& book, Problems* out) {
  // Smart hosts take the mail instead of the receiver; and what never matches is told as that.
  if (own.values.smart_hosts.set || mx::is_shadowed(book.rules(), own)) return;
  const Loss loss = loss_of(own, book);
  if (loss.count == 0) return;
  std::string names = loss.names;
  if (loss.count > kRulesInWarning) names += " and " + std::to_string(loss.count - kRulesInWarning) + " more";
  out->push_back({own.file, own.line, own.column,
                  "rule \"" + own.name + "\" " + (own.domains.empty() ? "takes" : "can take") +
                      " mail from the shipped " + (loss.count == 1 ? "rule " : "rules ") + names +
                      " without its protection: " + text_of(loss.lost, own) + "; " + cure_of(loss, book),
                  true});
}

void check_ladders(const conf::Config& config, const mx::RuleBook& book, Problems* out) {
  const bool any_warm = std::ranges::any_of(config.sources, &conf::Source::warmup);
  const bool any_ladder = std::ranges::any_of(
      book.rules(), [](const mx::RulePtr& rule) { return !rule->is_template() && rule->values.warmup.set; });
  if (any_warm && !any_ladder) {
    out->push_back({config.file, 1, 1,
                    "a source has warmup = true, but no rule has a ladder (warmup = [50, 100, ...]): it "
                    "sends at full speed",
                    true});
    return;
  }
  for (const conf::Source& source : config.sources) {
    if (source.warmup) check_source(config, source, book, out);
  }
  for (const mx::RulePtr& rule : book.rules()) {
    if (rule->shipped || rule->is_template() || !rule->values.warmup.set || any_warm) continue;
    const mx::RuleOrigin& at = rule->values.warmup.origin;
    out->push_back({at.file, at.line, at.column,
                    "the ladder of rule \"" + rule->name +
                        "\" holds for sources with warmup = true only, and there is none",
                    true});
  }
}

}  // namespace relay
