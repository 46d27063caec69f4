// A report of ours (RFC 3464) as a message for the spool, and who wants one (RFC 3461 §4.1, §5.2). Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bounce/dsn.h"
#include "conf/config.h"
#include "conf/vocab/bytes.h"
#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"

namespace relay {

struct ReportLine {
  uint32_t recipient = 0;  // in the record of the message that the report is about
  bounce::DsnAction action = bounce::DsnAction::kFailed;
  bool expired = false;        // kFailed: it was given up after its validity
  conf::WallTime retry_until;  // kDelayed: of the calendar
};

struct ReportMail {
  spool::MessageRecord record;
  conf::Bytes body;
};

// `about` has a reverse-path; `original` is its message, or empty when it cannot be read. `id` is new.
ReportMail write_report(const spool::MessageRecord& about, std::string_view original,
                        const std::vector<ReportLine>& lines, const conf::Config& config,
                        const spool::RelayClock& clock, conf::MessageId id);

// Whether the sender is told of a failure, or of what was passed on to a server that sends no reports.
bool wants_report(const spool::MessageRecord& record, const conf::Recipient& recipient,
                  bounce::DsnAction action);
// Whether the sender is told of a delay at all.
bool wants_delay_report(const spool::MessageRecord& record, const conf::Recipient& recipient,
                        const conf::DestinationSettings& settings);

}  // namespace relay
