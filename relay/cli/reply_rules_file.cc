#include "relay/cli/reply_rules_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "bounce/rule_set.h"

namespace relay::cli {

std::shared_ptr<const bounce::Qualifier> qualifier_with(const std::string& path) {
  if (path.empty()) return bounce::Qualifier::shipped();
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "penstock: cannot read %s: %s\n", path.c_str(), std::strerror(errno));
    return nullptr;
  }
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<conf::Problem> problems;
  std::vector<bounce::ReplyRule> rules = bounce::parse_reply_rules(text, path, &problems);
  std::shared_ptr<const bounce::Qualifier> qualifier;
  if (problems.empty()) {
    qualifier = bounce::Qualifier::make(std::move(rules), bounce::shipped_reply_rules());
    problems = qualifier->rules().check_examples();
  }
  for (const conf::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return problems.empty() ? qualifier : nullptr;
}

}  // namespace relay::cli
