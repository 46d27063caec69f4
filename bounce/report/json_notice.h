// Notices that a provider's interface writes as one JSON object, and a notification service sends on as mail:
// "notificationType" or "eventType" with bounces, complaints and deliveries.
#pragma once

#include <string_view>

#include "bounce/report/report.h"

namespace bounce::report {

// True when `text` is such an object; sets the kind, the recipients and the message.
bool read_json_notice(std::string_view text, Report* report);

}  // namespace bounce::report
