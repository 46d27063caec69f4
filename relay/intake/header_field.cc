#include "relay/intake/header_field.h"

#include "conf/vocab/ascii.h"

namespace relay {

namespace {}  // namespace

bool has_header_field(std::string_view message, std::string_view name) {
  if (name.empty()) return false;
  while (!message.empty()) {
    const size_t end = message.find("\r\n");
    std::string_view line = message.substr(0, end);
    if (line.empty()) return false;  // the header is over
    std::string_view field = line.substr(0, line.find(':'));
    while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
    if (field.size() < line.size() && conf::equal_ignoring_case(field, name)) return true;
    if (end == std::string_view::npos) return false;
    message.remove_prefix(end + 2);
  }
  return false;
}

}  // namespace relay
