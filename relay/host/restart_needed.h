// What of a new configuration a reload cannot do.
#pragma once

#include <string>

#include "conf/config.h"

namespace relay {

// The keys and sections that differ and wait for a restart, as the file names them: "hostname, [spool]".
// Empty: none does.
std::string restart_needed(const conf::Config& old, const conf::Config& fresh);

}  // namespace relay
