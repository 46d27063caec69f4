// Text (TOML) into a Config, with all its errors at once. Pure but for `load_config`, which reads one file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/result.h"

namespace conf {

struct Problem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;  // what is wrong and what to do; names the nearest right key for an unknown one
  bool warning = false;
  std::string text() const;  // "file:line:column: message", "file: message" when line is 0 ("warning: "
                             // before the message of a warning)
};

struct ParsedConfig {
  ConfigPtr config;  // null when there is an error (warnings alone do not prevent it)
  ConfigPtr draft;   // what was good, also when there are errors: for further checks; null: no TOML
  std::vector<Problem> problems;  // in order of place
};

// Does not look into the file that [mx] shipped_rules may name.
ParsedConfig parse_config(std::string_view text, std::string file_name);
// Reads the file and that of the shipped rules; an unreadable one is a problem at line 0.
ParsedConfig load_config(const std::string& path);
// By place; those in `first` before those in other files, which keep their order.
void sort_problems(const std::string& first, std::vector<Problem>* problems);
bool has_error(const std::vector<Problem>& problems);

// "90s", "3h", "5d", "500ms"; "25MB", "64KiB"; "100/min" as events per hour. For the parser and for command
// lines.
Result<Duration> parse_duration(std::string_view text);
Result<uint64_t> parse_size(std::string_view text);
struct Rate {
  uint64_t events = 0;
  Duration per{0};
};
Result<Rate> parse_rate(std::string_view text);

}  // namespace conf
