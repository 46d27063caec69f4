// The commonest refusals of a site, out of the table of texts, for `penstock explain`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace relay::cli {

// Of the sites of an explanation's paths, at most five, the commonest first: {"count", "text", "reason",
// "type", "scope", "rule", "row", "status"}. Empty when the configuration names no table that can be read.
nlohmann::json top_texts(const std::string& config_path, const nlohmann::json& explanation);

// For people; "" for none.
std::string top_texts_text(const nlohmann::json& texts);

}  // namespace relay::cli
