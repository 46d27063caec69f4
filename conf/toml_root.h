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
// The whole file. False when it cannot be read: `*why` says why, as the system does.
bool read_whole(const std::string& path, std::string* text, std::string* why);

}  // namespace conf
