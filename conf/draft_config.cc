#include "conf/draft_config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config_parser.h"
#include "conf/read_file.h"
#include "conf/toml_root.h"
#include "conf/vocab/text.h"

namespace conf {

namespace {

constexpr std::array<std::string_view, 4> kPlaces = {"[admin]", "[log]", "[spool]", "[quarantine]"};

bool is_toml(const std::string& text) {
  toml::table root;
  std::vector<Problem> problems;
  return parse_toml(text, "", &root, &problems);
}

std::string_view without_comment(std::string_view line) { return trimmed(line.substr(0, line.find('#'))); }

// Each section by itself, so that a slip in one does not hide the others.
std::string sections_that_are_right(std::string_view text) {
  std::string right, section;
  bool wanted = false;
  const auto take = [&] {
    if (wanted && is_toml(section) && is_toml(right + section)) right += section;
    section.clear();
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    const std::string_view header = without_comment(line);
    if (header.starts_with('[')) {
      take();
      wanted = std::find(kPlaces.begin(), kPlaces.end(), header) != kPlaces.end();
    }
    section += line;
  }
  section += '\n';
  take();
  return right;
}

std::string first_of(const std::vector<Problem>& problems) {
  size_t errors = 0;
  std::string first;
  for (const Problem& problem : problems) {
    if (problem.warning) continue;
    if (++errors == 1) first = problem.text();
  }
  if (errors <= 1) return first;
  return first + ", and " + std::to_string(errors - 1) + (errors == 2 ? " more error" : " more errors");
}

}  // namespace

DraftConfig load_draft(const std::string& path) {
  const Result<std::string> text = read_regular_file(path);
  if (!text.ok()) {
    const bool forbidden = text.error().code == ErrorCode::kRefused;
    return {forbidden ? parse_config("", path).draft : nullptr,
            path + ": cannot read the file: " + text.error().detail};
  }
  ParsedConfig parsed = parse_config(text.value(), path);
  if (parsed.draft == nullptr) parsed.draft = parse_config(sections_that_are_right(text.value()), path).draft;
  return {std::move(parsed.draft), first_of(parsed.problems)};
}

}  // namespace conf
