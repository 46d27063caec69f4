// Text into a TOML table, or one problem with its place. For this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/toml.h"

namespace conf {

// False when the text is not TOML: the reason is added to `problems`.
bool parse_toml(std::string_view text, const std::string& file, toml::table* root,
                std::vector<Problem>* problems);

}  // namespace conf
