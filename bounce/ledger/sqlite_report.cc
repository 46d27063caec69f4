#include "bounce/ledger/sqlite_report.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "bounce/qualification.h"
#include "bounce/quarantine_book.h"
#include "bounce/reason.h"
#include "conf/vocab/ascii.h"

namespace bounce {

namespace {

constexpr int64_t kMicrosOfHour = 3'600'000'000;  // microseconds
constexpr uint64_t kTexts = 10;

// The rows are read once, in the order of the table, and summed here: SQLite would sort a million of them for
// each question.
#define PENSTOCK_ROWS                                                                \
  ", outcome, count FROM tally WHERE hour >= ?1 AND hour <= ?2 "                     \
  "AND (?3 = '' OR site GLOB ?3 OR (',' || site || ',') GLOB ('*,' || ?3 || ',*')) " \
  "AND (?4 = '' OR source GLOB ?4) AND (?5 = '' OR domain GLOB ?5)"
#define PENSTOCK_ALL_ROWS ", outcome, count FROM tally WHERE hour >= ?1 AND hour <= ?2"
struct Query {
  const char* some;  // with masks
  const char* all;
};
constexpr std::array<Query, 7> kQueries = {
    {{"SELECT reason" PENSTOCK_ROWS, "SELECT reason" PENSTOCK_ALL_ROWS},
     {"SELECT type" PENSTOCK_ROWS, "SELECT type" PENSTOCK_ALL_ROWS},
     {"SELECT site" PENSTOCK_ROWS, "SELECT site" PENSTOCK_ALL_ROWS},
     {"SELECT source" PENSTOCK_ROWS, "SELECT source" PENSTOCK_ALL_ROWS},
     {"SELECT domain" PENSTOCK_ROWS, "SELECT domain" PENSTOCK_ALL_ROWS},
     {"SELECT hour / 24" PENSTOCK_ROWS, "SELECT hour / 24" PENSTOCK_ALL_ROWS},
     {"SELECT hour" PENSTOCK_ROWS, "SELECT hour" PENSTOCK_ALL_ROWS}}};
#undef PENSTOCK_ROWS
#undef PENSTOCK_ALL_ROWS

using Counts = std::array<uint64_t, 7>;  // by Outcome

std::string calendar(int64_t hour, const char* format) {
  const std::time_t seconds = hour * 3600;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), size};
}

std::string name_of(ReportBy by, int64_t key) {
  switch (by) {
    case ReportBy::kReason:
      return to_text(static_cast<Reason>(key));
    case ReportBy::kType:
      return to_text(static_cast<ErrorType>(key));
    case ReportBy::kDay:
      return calendar(key * 24, "%Y-%m-%d");
    case ReportBy::kHour:
      return calendar(key, "%Y-%m-%d %H:00");
    case ReportBy::kSite:
    case ReportBy::kSource:
    case ReportBy::kSenderDomain:
      break;
  }
  return {};
}

uint64_t sum_of(const Counts& counts) { return std::accumulate(counts.begin(), counts.end(), uint64_t{0}); }

ReportLine line_of(std::string name, const Counts& counts) {
  const auto of = [&counts](Outcome outcome) { return counts[static_cast<size_t>(outcome)]; };
  ReportLine line;
  line.name = std::move(name);
  line.delivered = of(Outcome::kDelivered);
  line.deferred = of(Outcome::kDeferred);
  line.failed = of(Outcome::kFailed);
  line.expired = of(Outcome::kExpired);
  line.quarantined = of(Outcome::kQuarantined);
  line.complaints = of(Outcome::kComplaint);
  line.dropped = of(Outcome::kDropped);
  return line;
}

void add_to(const ReportLine& line, ReportLine* sum) {
  sum->delivered += line.delivered;
  sum->deferred += line.deferred;
  sum->failed += line.failed;
  sum->expired += line.expired;
  sum->quarantined += line.quarantined;
  sum->complaints += line.complaints;
  sum->dropped += line.dropped;
}

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename Value>
using ByText = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

bool is_text(ReportBy by) {
  return by == ReportBy::kSite || by == ReportBy::kSource || by == ReportBy::kSenderDomain;
}

// Sums of a report while its rows come.
class Sums {
 public:
  explicit Sums(ReportBy by) : by_(by) {}

  void add(const Statement& row) {
    const auto outcome = static_cast<size_t>(row.integer(1));
    const auto count = static_cast<uint64_t>(row.integer(2));
    if (outcome >= total_.size()) return;
    total_[outcome] += count;
    // A delivery has no reason.
    const bool refusals = by_ == ReportBy::kReason || by_ == ReportBy::kType;
    if (refusals && outcome == static_cast<size_t>(Outcome::kDelivered)) return;
    counts_of(row)[outcome] += count;
  }

  void finish(uint64_t limit, Report* out) {
    std::vector<std::pair<uint64_t, ReportLine>> lines;
    for (const auto& [text, counts] : texts_) lines.emplace_back(sum_of(counts), line_of(text, counts));
    for (const auto& [key, counts] : numbers_)
      lines.emplace_back(sum_of(counts), line_of(name_of(by_, key), counts));
    if (by_ != ReportBy::kDay && by_ != ReportBy::kHour)
      std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second.name < b.second.name;
      });
    if (lines.size() > limit) {
      const bool in_order = by_ == ReportBy::kDay || by_ == ReportBy::kHour;
      const auto beyond = static_cast<std::ptrdiff_t>(lines.size() - limit);
      const auto begin = in_order ? lines.begin() : lines.end() - beyond;  // of a long time the end is asked
      out->others = static_cast<uint64_t>(beyond);
      for (auto each = begin; each != begin + beyond; ++each) add_to(each->second, &out->other);
      lines.erase(begin, begin + beyond);
    }
    for (auto& [sum, line] : lines) out->lines.push_back(std::move(line));
    out->total = line_of({}, total_);
  }

 private:
  Counts& counts_of(const Statement& row) {
    if (!is_text(by_)) return numbers_[row.integer(0)];
    const std::string_view text = row.view(0);
    const auto found = texts_.find(text);
    return found != texts_.end() ? found->second : texts_.emplace(text, Counts{}).first->second;
  }

  ReportBy by_;
  ByText<Counts> texts_;
  std::map<int64_t, Counts> numbers_;
  Counts total_{};
};

std::vector<TextTally> commonest_texts(Database* database, int64_t since, int64_t until) {
  ByText<uint64_t> counts;
  Statement rows = database->prepare("SELECT text, count FROM text_tally WHERE hour >= ? AND hour <= ?");
  rows.with(since).with(until);
  while (rows.row()) {
    const std::string_view text = rows.view(0);
    const auto found = counts.find(text);
    const auto count = static_cast<uint64_t>(rows.integer(1));
    if (found != counts.end()) {
      found->second += count;
    } else {
      counts.emplace(text, count);
    }
  }
  std::vector<TextTally> all;
  for (const auto& [text, count] : counts) all.push_back({0, text, count});
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(all.size(), kTexts));
  std::partial_sort(all.begin(), end, all.end(), [](const TextTally& a, const TextTally& b) {
    return a.count != b.count ? a.count > b.count : a.text < b.text;
  });
  all.erase(end, all.end());
  return all;
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
  const int64_t since = conf::unix_micros(range.since) / kMicrosOfHour,
                until = conf::unix_micros(range.until) / kMicrosOfHour;
  Report report;
  Sums sums(by);
  const bool all = range.site.empty() && range.source.empty() && range.sender_domain.empty();
  {
    const Query& query = kQueries[static_cast<size_t>(by)];
    Statement rows = database->prepare(all ? query.all : query.some);
    rows.with(since).with(until);
    if (!all)
      rows.with(glob(conf::ascii_lower(range.site)))
          .with(glob(range.source))
          .with(glob(conf::ascii_lower(range.sender_domain)));
    while (rows.row()) sums.add(rows);
  }
  sums.finish(limit, &report);
  if (all) report.texts = commonest_texts(database, since, until);
  const conf::Status status = database->failure();
  if (!status.ok()) return status.error();
  return report;
}

}  // namespace bounce
