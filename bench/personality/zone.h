// What a name server and a generator must know of a scenario.
#pragma once

#include <string>

#include "bench/personality/scenario.h"

namespace bench {

// A name-server zone (RFC 1035 §5) for all domains and hosts, relative to "test.". The sender's own domain
// is sender.test, whose mail goes to 127.0.0.1.
std::string zone_text(const Scenario& scenario);

// "DOMAIN SHARE" a line: all recipient domains and how much of the mail each gets; the shares add up to 1.
std::string domain_shares(const Scenario& scenario);

}  // namespace bench
