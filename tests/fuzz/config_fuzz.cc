// Any text gives a configuration or at least one error with a place; never both, never neither.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "conf/config_parser.h"
#include "conf/vocab/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const conf::ParsedConfig parsed = conf::parse_config(text, "fuzz.toml");
  const bool errors = std::ranges::any_of(parsed.problems, [](const conf::Problem& p) { return !p.warning; });
  CHECK(errors == (parsed.config == nullptr));
  for (const conf::Problem& problem : parsed.problems) CHECK(!problem.message.empty() && problem.line >= 0);
  (void)conf::parse_duration(text).ok();
  (void)conf::parse_size(text).ok();
  (void)conf::parse_rate(text).ok();
  if (parsed.config != nullptr) (void)parsed.config->settings_for("example.com");
  return 0;
}
