// Answers of programs that stand for a person: vacation, challenge and response, "has left". They say that
// the mail arrived, so they never count against anybody (RFC 3834).
#pragma once

#include "bounce/report/notice.h"
#include "bounce/report/report.h"
#include "bounce/report/signs.h"

namespace bounce::report {

// kNone when it is none. Not asked for mail that has a delivery status.
AutoReplyKind auto_reply_of(const Signs& signs, const Notice& notice);

}  // namespace bounce::report
