// What a person meant by a command that does not exist.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace relay::cli {

// One line that names the unknown word and the command that was probably meant, or "" when every word in the
// place of a command is one. Options and what follows them are passed over.
std::string unknown_command(const CLI::App& parser, int argc, const char* const* argv);

}  // namespace relay::cli
