// Why mail did not reach an address, under the name that this room uses: see conf/vocab/reason.h.
#pragma once

#include "conf/vocab/reason.h"

namespace bounce {

using conf::all_reasons;
using conf::label;
using conf::parse_reason;
using conf::Reason;
using conf::to_text;

}  // namespace bounce
