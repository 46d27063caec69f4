// Bounces in the words of some program: every mail system before RFC 3464, many
// after it, and the gateways and providers that never cared. No program is
// known by name: a notice is read by its sections, its recipient lines and its
// diagnostics.
#pragma once

#include "bounce/report/mime_reader.h"
#include "bounce/report/notice.h"
#include "bounce/report/report.h"
#include "bounce/report/signs.h"

namespace bounce::report {

// True when the mail is a notice of failure or delay; fills recipients, actions
// and diagnostics, and says by
// `*delayed` that it is only about delay. `original` is the header of the
// returned message.
bool read_free_form(const Part& head, const Signs& signs, const Notice& notice, const Part& original,
                    Report* report, bool* delayed);

// Fills in what a delivery status left out: addresses without a domain,
// diagnostics without words.
void complete_from_text(const Part& head, const Signs& signs, const Notice& notice, const Part& original,
                        Report* report);

}  // namespace bounce::report
