// What the admin API shows, as JSON. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "relay/admin/backend.h"
#include "relay/spool/spool.h"

namespace relay::admin {

nlohmann::json summary_json(const QueueSummary& summary);
nlohmann::json message_json(const spool::MessageRecord& record, conf::WallTime now);  // one row of a list
nlohmann::json message_detail_json(const spool::MessageRecord& record, conf::WallTime now);  // all recipients
nlohmann::json health_json(const QueueSummary& summary, const spool::SpoolHealth& health,
                           const spool::SpoolCounters& counters);

// "2026-01-31T23:59:59.000001Z"
std::string time_text(conf::WallTime time);

// Pure ASCII, on one line; bytes that are not UTF-8 come out as U+FFFD.
std::string to_text(const nlohmann::json& value);

// With the times of the calendar, as people are to see them.
spool::MessageRecord in_calendar(spool::MessageRecord record, const spool::RelayClock& clock);

}  // namespace relay::admin
