// What the process may: the descriptors it needs, and no more rights than it needs once the ports are bound.
#pragma once

#include <cstddef>
#include <string>

#include "conf/config.h"
#include "conf/vocab/result.h"

namespace relay {

// Makes the directories of spool, log, ledger and admin socket that do not exist yet, owned by `run_as`. kIo
// names the directory.
conf::Status prepare_directories(const conf::Config& config);

// Thousands of connections need as many descriptors: as many as the system lets us have.
void raise_descriptor_limit();
// Says so when fewer connections to receivers can be open at once than the configuration allows.
void warn_of_few_descriptors(size_t wanted, size_t possible);

// The process holds keys and mail: no core files, and no other process of its user may look into it.
void forbid_dumps();

// Sets groups, group and user for good; checks that there is no way back. An empty name stays who we are,
// with a warning on stderr when that is root. kInvalid: no such user; kIo: the system refused.
conf::Status drop_privileges(const std::string& user);

}  // namespace relay
