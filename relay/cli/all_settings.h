// Every key of a configuration as it holds: what the file sets, and what is built in.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "conf/config_words.h"

namespace relay::cli {

// [{"table", "key", "value", "where"}], in the order of the tables: "where" is "file:line", of another table
// that holds for this one too, or "built in". Of tables that may be there several times, those that are
// there. `text` is what the file says, `words` are its words.
nlohmann::json all_settings(const std::string& file, const std::string& text, const conf::ConfigWords& words);
std::string settings_text(const nlohmann::json& settings);

}  // namespace relay::cli
