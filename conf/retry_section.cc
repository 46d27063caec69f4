// The keys of [defaults] and [[destination]] that say when mail is tried again.
#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "conf/sections.h"
#include "conf/table_reader.h"

namespace conf {

namespace {

// "1h", or "5 x 1h" for five of them; false when it is neither.
bool read_step(const std::string& step, RetrySchedule::Delays* out) {
  unsigned times = 1;
  std::string_view rest = step;
  const size_t cross = step.find('x');
  if (cross != std::string::npos) {
    const auto [end, code] = std::from_chars(step.data(), step.data() + cross, times);
    const std::string_view after(end, static_cast<size_t>(step.data() + cross - end));
    rest = std::string_view(step).substr(cross + 1);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (code != std::errc() || after.find_first_not_of(' ') != std::string_view::npos) times = 0;
  }
  const Result<Duration> delay = parse_duration(rest);
  if (times == 0 || times > 1000 || !delay.ok() || delay.value() < Duration(1'000'000)) return false;
  out->insert(out->end(), times, delay.value());
  return true;
}

// As the file would have them: several of one length as "5 x 1h".
std::vector<std::string> written_steps(const RetrySchedule::Delays& delays) {
  std::vector<std::string> steps;
  for (size_t at = 0; at < delays.size();) {
    size_t end = at;
    while (end < delays.size() && delays[end] == delays[at]) ++end;
    steps.push_back((end - at > 1 ? std::to_string(end - at) + " x " : "") + written(delays[at]));
    at = end;
  }
  return steps;
}

bool read_steps(TableReader* reader, const char* key, RetrySchedule::Delays* out) {
  std::vector<std::string> steps = written_steps(*out);
  if (!reader->texts(key, &steps)) return false;
  RetrySchedule::Delays delays;
  for (const std::string& step : steps) {
    if (read_step(step, &delays)) continue;
    reader->report(
        key, "\"" + step + "\" is not a step; write \"1h\", or \"5 x 1h\" for five of them (at least 1s)");
    return false;
  }
  *out = std::move(delays);
  return true;
}

void put(RetrySchedule* retry, Reason reason, RetrySchedule::Delays delays) {
  for (RetrySchedule::OfReason& each : retry->by_reason) {
    if (each.reason != reason) continue;
    each = {reason, std::move(delays), false};
    return;
  }
  retry->by_reason.push_back({reason, std::move(delays), false});
}

RetrySchedule::Delays of_reason(const RetrySchedule& retry, Reason reason) {
  const RetrySchedule::OfReason* known = retry.of(reason);
  return known == nullptr ? RetrySchedule::Delays() : known->delays;
}

void read_by_reason(TableReader table, RetrySchedule* out) {
  for (const Reason reason : all_reasons()) {
    RetrySchedule::Delays delays = of_reason(*out, reason);
    if (!is_of_reply(reason) && table.has(to_text(reason)))
      table.report(to_text(reason), "never follows from a refusal: it belongs to the preparation of a list");
    if (read_steps(&table, to_text(reason), &delays))
      put(out, reason, std::move(delays));  // empty: the schedule of the destination
  }
  table.finish();
}

void read_first_tries(TableReader table, RetrySchedule* out) {
  for (size_t i = 0; i < kPassingTroubles; ++i)
    read_steps(&table, to_text(static_cast<PassingTrouble>(i)), &out->first_tries[i]);
  table.finish();
}

}  // namespace

bool read_schedule(TableReader* reader, std::vector<Duration>* out) {
  RetrySchedule::Delays delays = *out;
  if (!read_steps(reader, "schedule", &delays)) return false;
  if (delays.empty()) {
    reader->report("schedule",
                   "is empty: mail would be given up at its first refusal; [\"1h\"] is one more attempt");
    return false;
  }
  *out = std::move(delays);
  return true;
}

void read_retry(TableReader* reader, RetrySchedule* out) {
  RetrySchedule::Delays delays = out->delays;
  if (read_schedule(reader, &delays)) out->write(std::move(delays));
  const bool plain =
      out->by_reason.empty() && std::all_of(out->first_tries.begin(), out->first_tries.end(),
                                            [](const RetrySchedule::Delays& tries) { return tries.empty(); });
  size_t word = plain ? 1 : 0;
  if (reader->choice("retry", {"by-reason", "reference"}, &word)) {
    if (word == 0) {
      const RetrySchedule shipped;
      out->by_reason = shipped.by_reason;
      out->first_tries = shipped.first_tries;
    } else {
      out->by_reason.clear();
      out->first_tries.fill({});
    }
  }
  if (const toml::table* table = reader->table("schedule_by_reason"))
    read_by_reason(reader->inner(table, reader->name() + " schedule_by_reason"), out);
  read_first_tries(reader->inner(reader->table("first_tries"), reader->name() + " first_tries"), out);
  reader->duration("validity", &out->validity, Duration(1'000'000));
  reader->share("jitter", &out->jitter);
}

}  // namespace conf
