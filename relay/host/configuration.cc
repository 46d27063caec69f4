#include "relay/host/configuration.h"

#include <iterator>
#include <utility>

#include "relay/host/silent_mistakes.h"

namespace relay {

namespace {

Configuration with_book(conf::ParsedConfig parsed) {
  Configuration out;
  out.problems = std::move(parsed.problems);
  if (parsed.draft == nullptr) return out;
  mx::BuiltRules built = mx::build_rules(parsed.draft->rules);
  out.problems.insert(out.problems.end(), std::make_move_iterator(built.problems.begin()),
                      std::make_move_iterator(built.problems.end()));
  if (!conf::has_error(out.problems)) {
    std::vector<conf::Problem> silent = silent_mistakes(*parsed.config, *built.book);
    out.problems.insert(out.problems.end(), std::make_move_iterator(silent.begin()),
                        std::make_move_iterator(silent.end()));
  }
  conf::sort_problems(parsed.draft->file, &out.problems);
  if (conf::has_error(out.problems)) return out;
  out.config = std::move(parsed.config);
  out.book = std::move(built.book);
  return out;
}

}  // namespace

Configuration load_configuration(const std::string& path) { return with_book(conf::load_config(path)); }

Configuration parse_configuration(std::string_view text, const std::string& file_name) {
  return with_book(conf::parse_config(text, file_name));
}

}  // namespace relay
