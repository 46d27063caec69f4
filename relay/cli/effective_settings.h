// What holds for mail to a domain by the configuration alone: each key with who decides it, and whom it
// overrules. Asks neither the relay nor DNS.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "conf/config.h"
#include "conf/config_words.h"
#include "conf/vocab/result.h"
#include "mx/rules/rule_book.h"

namespace relay::cli {

struct EffectiveQuestion {
  std::string domain;  // "": any that no [[destination]] names
  // MX hosts, of no account where mail goes by smart hosts; none: only rules count that hold whatever they
  // are.
  std::vector<std::string> hosts;
  std::string source;  // name; "": each
};

// {"domain", "paths": [{"source", "rule", "rule_where", "depends_on_mx", "smart_hosts", "settings":
// [{"key", "value", "where", "over": [{"value", "where"}]}]}]}. Sources for which the same holds are one
// path: "source" has their names, with ", ". `words` are those of config.file. kNotFound: there is no such
// source.
conf::Result<nlohmann::json> effective_settings(const conf::Config& config, const mx::RuleBook& book,
                                                const conf::ConfigWords& words,
                                                const EffectiveQuestion& question);
std::string effective_text(const nlohmann::json& effective);

}  // namespace relay::cli
