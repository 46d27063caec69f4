#include "relay/cli/cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "relay/cli/command.h"
#include "relay/cli/suggestion.h"

namespace relay::cli {

int run(int argc, char** argv) {
  Invocation invocation;
  CLI::App parser("Penstock, an outbound SMTP relay.", "penstock");
  parser.require_subcommand(1);
  parser.fallthrough();  // -c may stand after the sub-command too
  parser.add_option("-c,--config", invocation.config_path, "the configuration file")->capture_default_str();
  parser.footer(
      "Exit status: 0 done, 1 failed, 2 wrong usage or a configuration with errors. See penstock(8).");
  add_serve_command(&parser, &invocation);
  add_check_command(&parser, &invocation);
  add_reload_command(&parser, &invocation);
  add_config_command(&parser, &invocation);
  add_queue_command(&parser, &invocation);
  add_explain_command(&parser, &invocation);
  add_mx_command(&parser, &invocation);
  add_log_command(&parser, &invocation);
  add_classify_command(&parser, &invocation);
  add_qualify_command(&parser, &invocation);
  add_quarantine_command(&parser, &invocation);
  add_spool_command(&parser, &invocation);
  add_report_command(&parser, &invocation);
  add_hash_password_command(&parser, &invocation);
  add_dkim_command(&parser, &invocation);
  add_parse_bounce_command(&parser, &invocation);
  add_version_command(&parser, &invocation);
  parser.set_version_flag("-v,--version", "penstock " PENSTOCK_VERSION, "print the version");
  const std::string unknown = unknown_command(parser, argc, argv);
  if (!unknown.empty()) {
    std::fprintf(stderr, "%s\n", unknown.c_str());
    return kUsage;
  }
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // the parser has no other way to say it; help comes this way too
    return parser.exit(error) == 0 ? kDone : kUsage;
  }
  return invocation.run ? invocation.run() : kUsage;
}

}  // namespace relay::cli
