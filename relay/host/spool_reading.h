// At the start: what is in the spool becomes mail again, and the operator hears how much and how long it
// took.
#pragma once

#include <functional>
#include <string>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/walk/transit.h"

namespace relay {

conf::Status read_spool(Transit* transit, const conf::Clock& clock,
                        const std::function<void(const std::string&)>& say);

}  // namespace relay
