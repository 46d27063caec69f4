#include "conf/sections.h"

namespace conf {

namespace {

constexpr Duration kDay = 24h;

}  // namespace

bool read_quarantine_action(TableReader* reader, const char* key, QuarantineAction* out) {
  auto word = static_cast<size_t>(*out);
  if (!reader->choice(key, {"refuse", "report", "log"}, &word)) return false;
  *out = static_cast<QuarantineAction>(word);
  return true;
}

void read_quarantine(TableReader* reader, QuarantineSettings* out) {
  reader->flag("enabled", &out->enabled);
  reader->text("path", &out->path);
  read_quarantine_action(reader, "action", &out->action);
  auto word = static_cast<size_t>(out->lists);
  if (reader->choice("lists", {"global", "sender-domain", "user"}, &word))
    out->lists = static_cast<QuarantineLists>(word);
  reader->flag("fold_local_part", &out->fold_local_part);
  reader->number("max_errors", &out->max_errors, 1, 1000);
  reader->duration("error_interval", &out->error_interval, Duration(1min));
  reader->duration("error_tolerance", &out->error_tolerance);
  if (out->error_tolerance >= out->error_interval)
    reader->report("error_tolerance", "is not shorter than error_interval: every error would count");
  reader->duration("clean_after", &out->clean_after, Duration(1h));
  if (out->clean_after < out->error_interval)
    reader->report("clean_after", "is shorter than error_interval: no counter would ever reach two");
  reader->duration("mailbox_full_after", &out->mailbox_full_after, Duration(1h));
  reader->duration("second_hard_after", &out->second_hard_after);
  reader->flag("count_unqualified", &out->count_unqualified);
  reader->duration("keep_history", &out->keep_history, kDay);
  reader->duration("keep_reports", &out->keep_reports, kDay);
  reader->texts("bypass_users", &out->bypass_users);
  if (reader->text("bypass_header", &out->bypass_header)) {
    if (!is_field_name(out->bypass_header))
      reader->report("bypass_header", "\"" + out->bypass_header +
                                          "\" is not the name of a header field, such as \"X-Mandated\"");
  }
  reader->finish();
}

void read_outage_guard(TableReader* reader, OutageGuardSettings* out) {
  reader->flag("enabled", &out->enabled);
  reader->share("expected_share", &out->expected_share);
  reader->share("outage_share", &out->outage_share);
  if (out->expected_share <= 0 || out->outage_share >= 1 || out->outage_share < 2 * out->expected_share)
    reader->report(
        "outage_share",
        "must be at least twice expected_share, both between 0 and 1: else they cannot be told apart");
  uint32_t evidence = static_cast<uint32_t>(out->evidence);
  if (reader->number("evidence", &evidence, 5, 100)) out->evidence = evidence;
  reader->number("cold_run", &out->cold_run, 10, 100'000);
  reader->number("cold_deliveries", &out->cold_deliveries, 10, 10'000'000);
  reader->share("cold_share", &out->cold_share);
  reader->duration("known_good", &out->known_good, kDay);
  reader->number("known_addresses", &out->known_addresses, 1000, 1'000'000'000);
  reader->duration("calm_after", &out->calm_after, Duration(1min));
  reader->finish();
}

}  // namespace conf
