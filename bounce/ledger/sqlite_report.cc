#include "bounce/ledger/sqlite_report.h"

#include <array>
#include <ctime>

#include "bounce/qualification.h"
#include "bounce/reason.h"

namespace bounce {

namespace {

constexpr int64_t kHour = 3'600'000'000;  // microseconds
constexpr uint64_t kTexts = 10;

#define PENSTOCK_SUMS                                                                                  \
  ", sum(CASE outcome WHEN 0 THEN count ELSE 0 END), sum(CASE outcome WHEN 1 THEN count ELSE 0 END), " \
  "sum(CASE outcome WHEN 2 THEN count ELSE 0 END), sum(CASE outcome WHEN 3 THEN count ELSE 0 END), "   \
  "sum(CASE outcome WHEN 4 THEN count ELSE 0 END), sum(CASE outcome WHEN 5 THEN count ELSE 0 END), "   \
  "sum(CASE outcome WHEN 6 THEN count ELSE 0 END) FROM tally WHERE hour >= ?1 AND hour <= ?2 "         \
  "AND (?3 = '' OR site GLOB ?3) AND (?4 = '' OR source GLOB ?4) AND (?5 = '' OR domain GLOB ?5) "
#define PENSTOCK_MOST " GROUP BY 1 ORDER BY sum(count) DESC LIMIT ?6"
#define PENSTOCK_IN_ORDER " GROUP BY 1 ORDER BY 1 LIMIT ?6"
constexpr std::array<const char*, 7> kQueries = {"SELECT reason" PENSTOCK_SUMS
                                                 "AND outcome <> 0" PENSTOCK_MOST,
                                                 "SELECT type" PENSTOCK_SUMS "AND outcome <> 0" PENSTOCK_MOST,
                                                 "SELECT site" PENSTOCK_SUMS PENSTOCK_MOST,
                                                 "SELECT source" PENSTOCK_SUMS PENSTOCK_MOST,
                                                 "SELECT domain" PENSTOCK_SUMS PENSTOCK_MOST,
                                                 "SELECT hour / 24" PENSTOCK_SUMS PENSTOCK_IN_ORDER,
                                                 "SELECT hour" PENSTOCK_SUMS PENSTOCK_IN_ORDER};
constexpr const char* kTotal = "SELECT 0" PENSTOCK_SUMS "LIMIT ?6";
#undef PENSTOCK_SUMS
#undef PENSTOCK_MOST
#undef PENSTOCK_IN_ORDER

std::string calendar(int64_t hour, const char* format) {
  const std::time_t seconds = hour * 3600;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), size};
}

std::string name_of(ReportBy by, const Statement& row) {
  switch (by) {
    case ReportBy::kReason:
      return to_text(static_cast<Reason>(row.integer(0)));
    case ReportBy::kType:
      return to_text(static_cast<ErrorType>(row.integer(0)));
    case ReportBy::kDay:
      return calendar(row.integer(0) * 24, "%Y-%m-%d");
    case ReportBy::kHour:
      return calendar(row.integer(0), "%Y-%m-%d %H:00");
    case ReportBy::kSite:
    case ReportBy::kSource:
    case ReportBy::kSenderDomain:
      break;
  }
  return row.text(0);
}

ReportLine read_line(const Statement& row) {
  ReportLine line;
  line.delivered = static_cast<uint64_t>(row.integer(1));
  line.deferred = static_cast<uint64_t>(row.integer(2));
  line.failed = static_cast<uint64_t>(row.integer(3));
  line.expired = static_cast<uint64_t>(row.integer(4));
  line.quarantined = static_cast<uint64_t>(row.integer(5));
  line.complaints = static_cast<uint64_t>(row.integer(6));
  line.dropped = static_cast<uint64_t>(row.integer(7));
  return line;
}

}  // namespace

bool parse_report_by(std::string_view text, ReportBy* out) {
  constexpr std::array<const char*, 7> kWords = {"reason",        "type", "site", "source",
                                                 "sender-domain", "day",  "hour"};
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (text != kWords[i]) continue;
    *out = static_cast<ReportBy>(i);
    return true;
  }
  return false;
}

conf::Result<Report> make_report(Database* database, ReportBy by, const ReportRange& range, uint64_t limit) {
  const int64_t since = conf::unix_micros(range.since) / kHour,
                until = conf::unix_micros(range.until) / kHour;
  Report report;
  for (const auto& [sql, most] :
       {std::pair(kQueries[static_cast<size_t>(by)], limit), std::pair(kTotal, uint64_t{1})}) {
    Statement statement = database->prepare(sql);
    statement.with(since)
        .with(until)
        .with(range.site)
        .with(range.source)
        .with(range.sender_domain)
        .with(most);
    while (statement.row()) {
      if (sql == kTotal) {
        report.total = read_line(statement);
        continue;
      }
      ReportLine line = read_line(statement);
      line.name = name_of(by, statement);
      report.lines.push_back(std::move(line));
    }
  }
  {
    Statement texts = database->prepare(
        "SELECT text, sum(count) FROM text_tally WHERE hour >= ? AND hour <= ? GROUP BY text ORDER BY 2 DESC "
        "LIMIT ?");
    texts.with(since).with(until).with(kTexts);
    while (texts.row()) report.texts.push_back({0, texts.text(0), static_cast<uint64_t>(texts.integer(1))});
  }
  const conf::Status status = database->failure();
  if (!status.ok()) return status.error();
  return report;
}

}  // namespace bounce
