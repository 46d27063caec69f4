// The token of ours that a report brings back, from wherever it stands.
#pragma once

#include <vector>

#include "bounce/report/report.h"
#include "bounce/return_path.h"
#include "conf/returns_settings.h"

namespace bounce::report {

struct Evidence {
  TokenState state = TokenState::kNone;
  ReturnToken token;   // set when `state` is kValid or kExpired
  conf::Mailbox whom;  // whom our header field named; null: it did not come back, or has none
};

// The best of our header field and the addresses: one valid token is enough. When none of these has any, that
// of the Message-ID. `keys` may be null: then no token is found. `paths`: the prefixes and domains of our
// return paths; an empty domain stands for every one. Any thread.
Evidence evidence_of(const Report& report, const ReturnKeys* keys,
                     const std::vector<conf::ReturnPathSettings>& paths, conf::WallTime now);

}  // namespace bounce::report
