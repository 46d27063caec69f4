// Tables that no mail comes to, and mail that no table is for: a destination behind a wider one, rules by MX
// hosts where all mail goes by smart hosts, domains that no source may send to. Each finding is a warning
// with its place and the cure. Pure.
#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/config_parser.h"
#include "conf/config_words.h"
#include "mx/rules/rule_book.h"

namespace relay {

// `words` are those of the file, for the places of keys. O(masks² of the destinations + rules x smart hosts +
// masks of the sources x sources x streams) at load.
void add_reach_mistakes(const conf::Config& config, const mx::RuleBook& book, const conf::ConfigWords& words,
                        std::vector<conf::Problem>* out);

}  // namespace relay
