#include "relay/cli/daemon_call.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "relay/admin/admin_client.h"
#include "relay/cli/cli.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {

using nlohmann::json;

namespace {

// Nothing when there is no answer: that was said then.
std::optional<admin::HttpReply> reply_to(const Invocation& invocation, std::string socket,
                                         const std::string& method, const std::string& target,
                                         const std::string& body, int* exit_code) {
  if (socket.empty()) {
    const conf::ConfigPtr config = places_of(invocation);
    if (config == nullptr) {
      std::fprintf(stderr, "penstock: cannot tell the admin socket; use --socket\n");
      *exit_code = kUsage;
      return std::nullopt;
    }
    socket = config->admin.socket;
  }
  conf::Result<admin::HttpReply> reply = admin::request(socket, method, target, body);
  *exit_code = reply.ok() ? kDone : kFailed;
  if (reply.ok()) return std::move(reply).value();
  std::fprintf(stderr, "penstock: %s\n", reply.error().detail.c_str());
  return std::nullopt;
}

int say_refusal(const admin::HttpReply& reply) {
  const json answer = json::parse(reply.body, nullptr, false);
  const bool explained = answer.is_object() && answer.contains("error") && answer["error"].is_string();
  const std::string why = explained ? printable(answer["error"].get<std::string>())
                                    : "unexpected answer, status " + std::to_string(reply.status);
  std::fputs(wrapped("", "penstock: " + why).c_str(), stderr);
  for (const json& problem : member(answer, "problems"))  // of a file that was refused
    if (problem.is_string()) std::fprintf(stderr, "%s\n", printable(problem.get<std::string>()).c_str());
  return reply.status == 400 ? kUsage : kFailed;
}

}  // namespace

std::optional<json> ask(const Invocation& invocation, const std::string& socket, const std::string& method,
                        const std::string& target, const json& body, int* exit_code) {
  const std::string text = body.is_null() ? "" : body.dump(-1, ' ', true, json::error_handler_t::replace);
  const std::optional<admin::HttpReply> reply = reply_to(invocation, socket, method, target, text, exit_code);
  if (!reply) return std::nullopt;
  if (reply->status == 200) {
    json answer = json::parse(reply->body, nullptr, false);
    if (answer.is_object()) return answer;
  }
  *exit_code = say_refusal(*reply);
  return std::nullopt;
}

std::optional<std::string> fetch(const Invocation& invocation, const std::string& socket,
                                 const std::string& target, int* exit_code) {
  std::optional<admin::HttpReply> reply = reply_to(invocation, socket, "GET", target, "", exit_code);
  if (!reply) return std::nullopt;
  if (reply->status == 200) return std::move(reply->body);
  *exit_code = say_refusal(*reply);
  return std::nullopt;
}

void print_json(const json& answer) {
  std::printf("%s\n", answer.dump(2, ' ', true, json::error_handler_t::replace).c_str());
}

}  // namespace relay::cli
