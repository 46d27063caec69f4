#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "relay/admin/admin_client.h"
#include "relay/admin/mx_order.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/mx_text.h"
#include "relay/cli/offline_rule.h"
#include "relay/cli/site_texts.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr size_t kMostDomains = 20;  // of one message: each may have to ask DNS

struct ExplainOptions {
  std::string socket;
  std::string address;
  std::string message;
  std::string source;
  std::string stream;
  bool as_json = false;
  bool offline = false;
  std::vector<std::string> hosts;  // --mx
};

std::optional<json> explain_one(const Invocation& invocation, const ExplainOptions& options,
                                const std::string& address, const std::string& source,
                                const std::string& stream, int* exit_code) {
  std::string target = "/v1/explain?address=" + admin::percent_encode(address);
  if (!source.empty()) target += "&source=" + admin::percent_encode(source);
  if (!stream.empty()) target += "&stream=" + admin::percent_encode(stream);
  return ask(invocation, options.socket, "GET", target, json(), exit_code);
}

bool can_go(const json& explanation) { return !member(explanation, "paths").empty(); }

int explain_address(const Invocation& invocation, const ExplainOptions& options) {
  int exit_code = kDone;
  std::optional<json> told =
      explain_one(invocation, options, options.address, options.source, options.stream, &exit_code);
  if (!told) return exit_code;
  json texts = top_texts(invocation.config_path, *told);
  if (options.as_json) {
    (*told)["texts"] = std::move(texts);
    print_json(*told);
  } else {
    std::fputs((explanation_text(*told) + top_texts_text(texts)).c_str(), stdout);
  }
  return can_go(*told) ? kDone : kFailed;
}

// The domains of the pending recipients, each once, in their order.
std::vector<std::string> pending_domains(const json& message) {
  std::vector<std::string> domains;
  for (const json& recipient : member(message, "recipients")) {
    if (member(recipient, "state") != json("pending")) continue;
    const json& address = member(recipient, "recipient");
    const auto* text = address.get_ptr<const std::string*>();
    const size_t at = text == nullptr ? std::string::npos : text->rfind('@');
    if (at == std::string::npos) continue;
    const std::string domain = text->substr(at + 1);
    if (std::find(domains.begin(), domains.end(), domain) == domains.end()) domains.push_back(domain);
  }
  return domains;
}

// The source that its mail to this domain waits for or leaves from; "": it is drawn when it is due.
std::string source_of(const json& message, const std::string& domain) {
  for (const json& recipient : member(message, "recipients")) {
    const json& delivery = member(recipient, "delivery");
    if (text_of(delivery, "domain") == domain && member(recipient, "state") == json("pending"))
      return text_of(delivery, "source");
  }
  return "";
}

int explain_message(const Invocation& invocation, const ExplainOptions& options) {
  int exit_code = kDone;
  const std::string target = "/v1/queue/messages/" + admin::percent_encode(options.message);
  const std::optional<json> message = ask(invocation, options.socket, "GET", target, json(), &exit_code);
  if (!message) return exit_code;
  std::vector<std::string> domains = pending_domains(*message);
  const size_t all = domains.size();
  domains.resize(std::min(all, kMostDomains));
  json explained = json::array();
  bool all_can_go = true;
  for (const std::string& domain : domains) {
    const std::string source = options.source.empty() ? source_of(*message, domain) : options.source;
    std::optional<json> told =
        explain_one(invocation, options, domain, source, text_of(*message, "stream"), &exit_code);
    if (!told && exit_code == kUsage) return exit_code;
    all_can_go = all_can_go && told && can_go(*told);
    explained.push_back(told ? json{{"domain", domain}, {"explanation", std::move(*told)}}
                             : json{{"domain", domain}, {"error", "no explanation, see above"}});
  }
  if (options.as_json) {
    print_json({{"message", *message}, {"explained", std::move(explained)}, {"domains", all}});
  } else {
    std::fputs(message_explanation_text(*message, explained).c_str(), stdout);
    if (all > kMostDomains)
      std::printf("\nand %zu more domains; ask for each by an address of it.\n", all - kMostDomains);
  }
  return all_can_go ? kDone : kFailed;
}

int explain_offline(const Invocation& invocation, const ExplainOptions& options) {
  const auto usage = [](const std::string& what) {
    std::fprintf(stderr, "penstock: %s\n", what.c_str());
    return kUsage;
  };
  if (!options.message.empty()) return usage("--offline knows no messages; give an address");
  if (options.hosts.empty()) return usage("--offline does not ask DNS; give the MX hosts with --mx");
  const conf::Result<std::string> domain = admin::domain_of(options.address);
  if (!domain.ok()) return usage(domain.error().detail);
  const conf::ConfigPtr config = read_config(invocation.config_path);
  if (config == nullptr) return kUsage;
  const conf::Result<json> told = offline_explanation(*config, domain.value(), options.hosts, options.source);
  if (!told.ok()) return usage(told.error().detail);
  if (options.as_json) {
    print_json(told.value());
  } else {
    std::fputs(offline_text(told.value()).c_str(), stdout);
  }
  return kDone;
}

int explain(const Invocation& invocation, const ExplainOptions& options) {
  if (options.address.empty() == options.message.empty()) {
    std::fprintf(stderr,
                 "penstock: say what to explain: an address, or --message and its id; one of the two\n");
    return kUsage;
  }
  if (options.offline) return explain_offline(invocation, options);
  return options.message.empty() ? explain_address(invocation, options)
                                 : explain_message(invocation, options);
}

}  // namespace

void add_explain_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* command =
      parser->add_subcommand("explain", "why mail to an address, or a queued message, goes or waits");
  command->add_option("address", options->address, "a recipient, or its domain");
  command->add_option("--message", options->message, "the id of a queued message, instead of an address");
  command->add_option("--source", options->source, "only from the [[source]] of this name");
  command->add_option("--stream", options->stream, "as mail of the [[stream]] of this name goes");
  command->add_option("--socket", options->socket, "admin socket; default: the one in the configuration");
  CLI::Option* offline = command->add_flag("--offline", options->offline,
                                           "which rule would decide, by the configuration alone; wants --mx");
  command->add_option("--mx", options->hosts, "with --offline: an MX host of the receiver; may be repeated")
      ->needs(offline)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--json", options->as_json, "print the answer as JSON");
  command->callback([=] { invocation->run = [=] { return explain(*invocation, *options); }; });
}

}  // namespace relay::cli
