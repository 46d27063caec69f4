// The text of mail that comes back after a message was taken.
#pragma once

#include <string>
#include <string_view>

#include "bench/personality/site.h"
#include "conf/vocab/time.h"

namespace bench {

// A whole message, CRLF line ends: a delivery status notification (RFC 3464) or an abuse report (RFC 5965).
// `token` is unique: it makes the Message-ID.
std::string late_report_text(const LateReport& report, conf::WallTime arrival, conf::WallTime now,
                             std::string_view token);

}  // namespace bench
