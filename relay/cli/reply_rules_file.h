// The rules and the table of texts that a command works with.
#pragma once

#include <memory>

#include "bounce/rule_layers.h"

namespace relay::cli {

// Null when anything is wrong with the rules or the table: messages are on stderr.
std::shared_ptr<const bounce::Qualifier> qualifier_of(const bounce::RuleFiles& files);

}  // namespace relay::cli
