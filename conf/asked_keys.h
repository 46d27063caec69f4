// Every key that the parser asks of a configuration, with what holds when nothing sets it: for people who
// want to see the whole configuration as it holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/time.h"

namespace conf {

struct AskedKey {
  std::string table;   // "" of the top, "[spool]", "[[listener]]"
  int table_line = 0;  // 0: the file has no such table
  std::string key;
  std::string preset;  // what holds when it is not set, as one would write it; "": nothing
  int line = 0;        // of its value; 0: it is not set
};

// In the order in which the parser asks. Tables in double brackets that the file does not have are not asked
// for. No TOML: nothing. Reads no other file.
std::vector<AskedKey> asked_keys(std::string_view text, const std::string& file_name);

// As the parser takes them: "90s", "25MB".
std::string written(Duration duration);
std::string written_size(uint64_t octets);

}  // namespace conf
