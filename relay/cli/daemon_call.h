// A question of the command line to the running relay, over its admin socket.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "relay/cli/command.h"

namespace relay::cli {

// The answer; or nothing, then what went wrong was said on stderr and `*exit_code` is set. `socket` "": the
// one in the configuration. `body` null: none.
std::optional<nlohmann::json> ask(const Invocation& invocation, const std::string& socket,
                                  const std::string& method, const std::string& target,
                                  const nlohmann::json& body, int* exit_code);

// The same of what is no JSON: the octets of the answer.
std::optional<std::string> fetch(const Invocation& invocation, const std::string& socket,
                                 const std::string& target, int* exit_code);

void print_json(const nlohmann::json& answer);  // on stdout, pure ASCII

}  // namespace relay::cli
