#include "relay/cli/reply_rules_file.h"

#include <cstdio>
#include <vector>

namespace relay::cli {

std::shared_ptr<const bounce::Qualifier> qualifier_of(const bounce::RuleFiles& files) {
  std::vector<conf::Problem> problems;
  std::shared_ptr<const bounce::Qualifier> qualifier = bounce::load_qualifier(files, {}, &problems);
  for (const conf::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return qualifier;
}

}  // namespace relay::cli
