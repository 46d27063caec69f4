// The answers of the admin API as text for people. Pure. Remote texts are made harmless for a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace relay::cli {

std::string list_view(const nlohmann::json& list);
std::string message_view(const nlohmann::json& message);

// "ready from tx to mx.example.net (rule google): blocked after refusals; may go in 2 h". "" for none.
std::string delivery_text(const nlohmann::json& delivery);

// Control characters (C0, DEL, C1) and bidirectional overrides as '?'.
std::string printable(std::string_view text);
// "45s", "12m", "3h10m", "2d4h".
std::string age_text(int64_t seconds);

}  // namespace relay::cli
