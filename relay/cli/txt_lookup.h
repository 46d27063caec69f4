// One question to the name system, for commands that run without a relay.
#pragma once

#include <string>
#include <vector>

#include "conf/vocab/result.h"

namespace relay {

// The TXT records at `name`. `servers`: such as "192.0.2.53" or "127.0.0.1:5353"; empty: those of
// /etc/resolv.conf.
// kNotFound: there is none. kUnavailable: no answer, or a failure; kInvalid: one is no address. Blocks
// for some seconds at most.
conf::Result<std::vector<std::string>> look_up_txt(const std::string& name,
                                                   const std::vector<std::string>& servers);

}  // namespace relay
