// At the start: what is in the spool becomes mail again, and the operator hears how much and how long it
// took. Loop thread, before anything else happens on it.
#pragma once

#include <functional>
#include <string>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/walk/transit.h"

namespace relay {

// The error is that of spool::Spool::recover(): nothing can be started then.
conf::Status read_spool(Transit* transit, const conf::Clock& clock,
                        const std::function<void(const std::string&)>& say);

}  // namespace relay
