#include "conf/toml_root.h"

#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "conf/toml_text.h"

namespace conf {

namespace {

// The library says what it met; this, what was meant mostly.
std::string advice_on(std::string_view why) {
  if (why.find("could not determine value type") != std::string_view::npos)
    return "; a text stands in quotes, a switch is true or false, a duration is written \"5m\"";
  if (why.find("as array-of-tables") != std::string_view::npos)
    return "; a part such as [[rule.threshold]] stands after the [[rule]] it belongs to, and a table is "
           "written "
           "[name] or [[name]], not both";
  return "";
}

}  // namespace

bool parse_toml(std::string_view text, const std::string& file, toml::table* root,
                std::vector<Problem>* problems) {
  if (const std::optional<TextPlace> at = foreign_character(text)) {
    problems->push_back(
        {file, at->line, at->column,
         "a character that is not ASCII stands outside quotes; is it a typographic quotation mark?"});
    return false;
  }
  toml::parse_result parsed;
  try {
    parsed = toml::parse(text, file);
  } catch (const TomlTrouble&) {
    const TextPlace at = bad_section_header(text);
    problems->push_back({file, at.line, at.column,
                         "not TOML: a section is written [name], or [[name]] where there can be several"});
    return false;
  }
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    const std::string why(parsed.error().description());
    problems->push_back(
        {file, static_cast<int>(at.line), static_cast<int>(at.column), "not TOML: " + why + advice_on(why)});
    return false;
  }
  *root = std::move(parsed).table();
  return true;
}

}  // namespace conf
