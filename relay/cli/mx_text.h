// What the relay tells about its limits, as text for a person at a terminal: the answer first, then why.
// Pure. Remote texts are made harmless.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace relay::cli {

// "Mail to example.net waits: messages_per_hour, frees in 3 min 12 s." The answer of /v1/explain.
std::string headline(const nlohmann::json& explanation);
std::string explanation_text(const nlohmann::json& explanation);
// `message`: of /v1/queue/messages/ID. `explained`: a list of {"domain", "explanation" or "error"}.
std::string message_explanation_text(const nlohmann::json& message, const nlohmann::json& explained);

std::string offline_text(const nlohmann::json& explanation);  // of offline_explanation()

std::string mx_paths_text(const nlohmann::json& shown);  // of /v1/mx/show
std::string mx_done_text(const std::string& action, const nlohmann::json& done);

// "may go now"; "waits: rate, frees in 3 s". Of a path.
std::string flow_text(const nlohmann::json& path);
constexpr double kForever = 1e18;
// Seconds until it frees; kForever: nobody knows. Of a path or a source.
double frees_in(const nlohmann::json& path);

// Seconds for people, rounded up: "3 min 12 s", "less than 1 s".
std::string seconds_text(double seconds);

}  // namespace relay::cli
