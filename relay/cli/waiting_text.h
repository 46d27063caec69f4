// Mail that waits, in words that fit 100 columns: how much, where, why, until when. Pure; takes answers of
// the admin API whatever their shape.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace relay::cli {

constexpr size_t kColumns = 100;

std::string grouped(int64_t number);                    // "10,000"
std::string counted(int64_t number, const char* noun);  // "1 path", "2 paths"
// At most `width` columns; what is cut off ends in "...".
std::string fitted(const std::string& text, size_t width);
// In lines of at most kColumns, each after `indent`.
std::string wrapped(std::string_view indent, const std::string& text);
// What is set and where, in a line after `indent`; the place whole in a line of its own when that is too
// long.
std::string placed(std::string_view indent, const std::string& setting, const std::string& where);

// "6,166 scheduled, 3 ready, 1 in flight"; "nothing".
std::string counts_text(const nlohmann::json& waiting);
// What is not in flight.
int64_t kept_of(const nlohmann::json& waiting);
// "451 Greylisted; the first in 57 min".
std::string reason_text(const nlohmann::json& reason);
// One line a reason, what keeps most first, after `indent`.
std::string reasons_text(const nlohmann::json& waiting, std::string_view indent);

// "block stream news for another 2 h: maintenance (by anna)".
std::string order_text(const nlohmann::json& order);

// Of an answer to "retry" or "release": which mail waits all the same, for the end of an order on its stream,
// and what lifts that; "": none does.
std::string paused_text(const nlohmann::json& answer);

std::string summary_view(const nlohmann::json& summary);   // of /v1/queue/summary
std::string mx_status_text(const nlohmann::json& status);  // of /v1/mx

}  // namespace relay::cli
