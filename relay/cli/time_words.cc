#include "relay/cli/time_words.h"

#include <array>
#include <ctime>

#include "conf/config_parser.h"

namespace relay::cli {

conf::Result<conf::WallTime> parse_moment(const std::string& text, conf::WallTime now,
                                          conf::WallTime otherwise) {
  if (text.empty()) return otherwise;
  const conf::Result<conf::Duration> age = conf::parse_duration(text);
  if (age.ok()) return now - age.value();
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                             "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') return conf::from_unix_micros(int64_t{timegm(&parts)} * 1'000'000);
  }
  return conf::Error{conf::ErrorCode::kInvalid,
                     "\"" + text +
                         "\" is no time: write an age such as \"36h\" or \"7d\", or a date in UTC "
                         "such as \"2026-11-25\" or \"2026-11-25 14:30\""};
}

std::string moment_text(conf::WallTime at) {
  if (at == conf::WallTime{}) return "-";
  const std::time_t seconds = conf::unix_micros(at) / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return {text.data(), size};
}

}  // namespace relay::cli
