// Reports from the hourly counts of the ledger.
#pragma once

#include <string>
#include <vector>

#include "bounce/ledger/ledger.h"
#include "bounce/ledger/sqlite_database.h"

namespace bounce {

enum class ReportBy : uint8_t { kReason, kType, kSite, kSource, kSenderDomain, kDay, kHour };
bool parse_report_by(std::string_view text, ReportBy* out);  // "reason", ..., "sender-domain", "day", "hour"

struct ReportLine {
  std::string name;  // "user-unknown", "2026-11-25", "2026-11-25 21:00" (UTC), ...
  uint64_t delivered = 0, deferred = 0, failed = 0, expired = 0, quarantined = 0, complaints = 0, dropped = 0;
};

struct Report {
  std::vector<ReportLine> lines;  // the most mail first; days and hours in their order, the latest ones
  uint64_t others = 0;            // lines beyond the limit
  ReportLine other;               // these in one
  ReportLine total;
  std::vector<TextTally> texts;  // the ten commonest; none where a mask selects, for a text has no site
};

struct ReportRange {
  conf::WallTime since, until;              // whole hours that touch it
  std::string site, source, sender_domain;  // masks; "": all
};

conf::Result<Report> make_report(Database* database, ReportBy by, const ReportRange& range, uint64_t limit);

}  // namespace bounce
