// What of a new configuration a reload cannot do. Pure.
#pragma once

#include <string>

#include "conf/config.h"

namespace relay {

// The keys and sections that differ and wait for a restart, as the file names them: "hostname, [spool]".
// Empty: none does.
std::string restart_needed(const conf::Config& old, const conf::Config& fresh);

// `fresh`, with the keys and sections that wait for a restart as they are in `old`: what holds until then.
conf::Config until_restart(const conf::Config& old, conf::Config fresh);

}  // namespace relay
