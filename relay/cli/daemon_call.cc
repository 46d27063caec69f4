#include "relay/cli/daemon_call.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "relay/admin/admin_client.h"
#include "relay/cli/cli.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"

namespace relay::cli {

using nlohmann::json;

std::optional<json> ask(const Invocation& invocation, const std::string& given_socket,
                        const std::string& method, const std::string& target, const json& body,
                        int* exit_code) {
  std::string socket = given_socket;
  if (socket.empty()) {
    const conf::ConfigPtr config = read_config(invocation.config_path);
    if (config == nullptr) {
      std::fprintf(stderr, "penstock: cannot tell the admin socket from %s; use --socket\n",
                   invocation.config_path.c_str());
      *exit_code = kUsage;
      return std::nullopt;
    }
    socket = config->admin.socket;
  }
  const std::string text = body.is_null() ? "" : body.dump(-1, ' ', true, json::error_handler_t::replace);
  const conf::Result<admin::HttpReply> reply = admin::request(socket, method, target, text);
  *exit_code = kFailed;
  if (!reply.ok()) {
    std::fprintf(stderr, "penstock: %s\n", reply.error().detail.c_str());
    return std::nullopt;
  }
  json answer = json::parse(reply.value().body, nullptr, false);
  if (reply.value().status == 200 && answer.is_object()) {
    *exit_code = kDone;
    return answer;
  }
  const bool explained = answer.is_object() && answer.contains("error") && answer["error"].is_string();
  std::fprintf(stderr, "penstock: %s\n",
               explained ? printable(answer["error"].get<std::string>()).c_str()
                         : ("unexpected answer, status " + std::to_string(reply.value().status)).c_str());
  for (const json& problem : member(answer, "problems"))  // of a file that was refused
    if (problem.is_string()) std::fprintf(stderr, "%s\n", printable(problem.get<std::string>()).c_str());
  if (reply.value().status == 400) *exit_code = kUsage;
  return std::nullopt;
}

void print_json(const json& answer) {
  std::printf("%s\n", answer.dump(2, ' ', true, json::error_handler_t::replace).c_str());
}

}  // namespace relay::cli
