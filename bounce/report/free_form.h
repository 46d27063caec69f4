// Bounces in the words of some program: every mail system before RFC 3464, many after it, and the gateways
// and providers that never cared. No program is known by name: a notice is read by its sections, its
// recipient lines and its diagnostics.
#pragma once

#include "bounce/report/mime_reader.h"
#include "bounce/report/notice.h"
#include "bounce/report/report.h"
#include "bounce/report/signs.h"

namespace bounce::report {

// kNonstandard (a failure), kDelayed or kDelivered when the mail is such a notice, and its recipients,
// actions and diagnostics are filled in; kNotBounce otherwise. `original` is the header of the returned
// message.
Kind read_free_form(const Part& head, const Signs& signs, const Notice& notice, const Part& original,
                    Report* report);

// Fills in what a delivery status left out: addresses without a domain, diagnostics without words.
void complete_from_text(const Part& head, const Signs& signs, const Notice& notice, const Part& original,
                        Report* report);

}  // namespace bounce::report
