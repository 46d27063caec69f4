// What went over a path in the last minute, beside what its limits allow, in words. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace relay::cli {

// Of a path of the admin API: "812 delivered, 3 deferred, 0 refused; messages_per_hour allows 166 a minute".
// Empty when the answer says nothing of it.
std::string last_minute_text(const nlohmann::json& path);

}  // namespace relay::cli
