// Members of an answer of the admin API, whatever its shape: an answer of another version still prints. Pure.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>

namespace relay::cli {

// Texts are made harmless for a terminal; a value of another kind comes as JSON; "" when there is none.
std::string text_of(const nlohmann::json& object, const char* key);
int64_t number_of(const nlohmann::json& object, const char* key);             // 0: missing, or no number
double real_of(const nlohmann::json& object, const char* key);                // the same
const nlohmann::json& member(const nlohmann::json& object, const char* key);  // null when missing
bool is_true(const nlohmann::json& object, const char* key);
// "451 4.7.1 Greylisted": the code, the status (once) and the text, which is at `key`.
std::string reply_text(const nlohmann::json& object, const char* key);
// "2026-11-24T09:53:44.123456Z" as "2026-11-24 09:53:44".
std::string to_the_second(std::string time);

template <typename... Values>
void line(std::string* out, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(*out), format, std::forward<Values>(values)...);
  out->push_back('\n');
}

}  // namespace relay::cli
