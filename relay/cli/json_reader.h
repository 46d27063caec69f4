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
// "451 4.7.1 Greylisted" of a recipient.
std::string last_reply(const nlohmann::json& recipient);

template <typename... Values>
void line(std::string* out, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(*out), format, std::forward<Values>(values)...);
  out->push_back('\n');
}

}  // namespace relay::cli
