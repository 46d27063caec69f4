// Who runs the command, for what is written down.
#pragma once

#include <string>

namespace relay::cli {

// With sudo, who became root. "operator" when the system does not know.
std::string operator_name();

}  // namespace relay::cli
