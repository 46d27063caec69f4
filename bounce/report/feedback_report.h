// Complaints of feedback loops: RFC 5965 (abuse, fraud, virus, other), RFC 6591 (auth-failure), the kinds
// that leave the recipient out, and those that come without the proper type.
#pragma once

#include <string_view>

#include "bounce/report/mime_reader.h"
#include "bounce/report/notice.h"
#include "bounce/report/report.h"
#include "bounce/report/signs.h"

namespace bounce::report {

// The fields of a message/feedback-report part. True when there was at least one that counts.
bool read_feedback_report(std::string_view content, Report* report);

// A mail with a returned message that is a complaint by its words and by who sends it.
bool is_untyped_feedback(const Signs& signs, const Notice& notice);

// Completes the recipients from the returned message when the report left them out: fields of the provider,
// else a To that is not redacted.
void complete_feedback(const Part& original, Report* report);

}  // namespace bounce::report
