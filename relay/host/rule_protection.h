// What a rule of one's own silently takes away: a shipped rule blocks a receiver that refuses, and counts all
// hosts of a provider as one site; a rule that stands before it and says nothing of either has neither. And
// the ladder of a new source, which ends where a rule without one decides. Each finding is a warning with the
// places of both rules and a cure that `check` is content with. Pure.
#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/config_parser.h"
#include "mx/rules/rule_book.h"

namespace relay {

// Warns of `own`, a rule of `book` that is neither shipped nor a template. O(rules² x masks²) at load.
void check_protection(const mx::Rule& own, const mx::RuleBook& book, std::vector<conf::Problem>* out);

// Warns of sources with `warmup = true` whose mail also falls under rules without a ladder, of a source
// without any ladder, and of a ladder without a source. O(sources x rules² x masks²)
void check_ladders(const conf::Config& config, const mx::RuleBook& book, std::vector<conf::Problem>* out);

}  // namespace relay
