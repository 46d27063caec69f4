// Whether the addresses that mail is to be sent from are of this machine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conf/config.h"

namespace relay {

// The sources whose address cannot be bound here: their mail would wait for ever. Opens and closes a socket
// for each.
std::vector<const conf::Source*> sources_of_other_machines(const conf::Config& config);
std::string other_machine_text(const conf::Source& source);  // for people
void warn_of_other_machines(const conf::Config& config, const std::function<void(const std::string&)>& say);

}  // namespace relay
