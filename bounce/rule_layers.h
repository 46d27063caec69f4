// Everything that an operator and the program have to say about refusals, made one Qualifier.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bounce/qualifier.h"
#include "conf/config_parser.h"

namespace bounce {

struct RuleFiles {
  std::string own_text;  // of the configuration that has rules of its own, which come first; empty: none
  std::string own_file;  // its path, for messages
  std::string rules;     // local reply rules; empty: none
  std::string shipped;   // replaces the rules of the program; empty: those
  std::string table;     // the table of texts; empty, or not there yet: no row is decided
};

// Decided rows, then the local rules, then the shipped ones. Null when anything is wrong, an example of a
// rule included: `problems` says what and where.
std::shared_ptr<const Qualifier> load_qualifier(const RuleFiles& files, Unread unread,
                                                std::vector<conf::Problem>* problems);

}  // namespace bounce
