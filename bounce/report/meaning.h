// What a report means for a recipient: the diagnostic goes through the same qualifier as a reply in a
// session (bounce/qualifier.h); complaints, answers of programs and good news have meanings of their own.
#pragma once

#include "bounce/qualifier.h"
#include "bounce/report/report.h"

namespace bounce::report {

// The reply that the diagnostic reports: its code, status and text.
Reply reply_of(const Recipient& recipient);

// Never Hard for news of delay. Any thread.
Qualification meaning_of(const Report& report, const Recipient& recipient, const Qualifier& qualifier);

}  // namespace bounce::report
