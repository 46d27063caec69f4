// Whether the addresses that mail is to be sent from, or comes to, are of this machine.
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
// The listeners whose address cannot be bound here. A port that the service manager opened for us may work
// all the same.
std::vector<const conf::Listener*> listeners_of_other_machines(const conf::Config& config);
void warn_of_other_machines(const conf::Config& config, const std::function<void(const std::string&)>& say);

}  // namespace relay
