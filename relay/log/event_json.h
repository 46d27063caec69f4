// JSON by hand, for what is written thousands of times a second: strings, times and identifiers into a
// buffer. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/event.h"

namespace relay::log {

// "..." with quotes. Control characters (C0, DEL, C1), line separators and bidirectional overrides come out
// as \uXXXX, each byte that is not valid UTF-8 (RFC 3629) as \ufffd: the result is one line of valid JSON
// whatever came in.
void append_json_string(std::string_view text, std::string* out);

// "2026-01-31T23:59:59.000001Z" with quotes (RFC 3339, UTC). Years outside 0000 to 9999 are cut to the range.
void append_json_time(conf::WallTime time, std::string* out);

void append_json_number(uint64_t value, std::string* out);

// As `event` names it: "accepted", "report_sent"; docs/operations.md has them all.
std::string_view kind_text(conf::EventKind kind);

// As the key of a limit is written in a rule, where there is one: "messages_per_hour", "blocked"; "" for
// kNothing.
std::string_view limit_name(conf::Bind limit);

// One line, no newline. Every string is JSON-escaped, so no remote text can forge a line.
std::string to_json(const conf::DeliveryEvent& event);
void append_json(const conf::DeliveryEvent& event, std::string* out);

}  // namespace relay::log
