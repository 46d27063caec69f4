// penstock report: what became of mail, from the hourly counts of the ledger.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/ledger_file.h"
#include "relay/cli/report_text.h"
#include "relay/cli/time_words.h"

namespace relay::cli {
namespace {

struct ReportOptions {
  std::string ledger, by = "reason", since = "7d", until, site, source, sender_domain;
  uint64_t limit = 50;
  bool as_csv = false, as_json = false;
};

int report(const Invocation& invocation, const ReportOptions& options) {
  bounce::ReportBy by{};
  if (!bounce::parse_report_by(options.by, &by)) {
    std::fprintf(stderr, "penstock: \"%s\" is none of reason, type, site, source, sender-domain, day, hour\n",
                 options.by.c_str());
    return kUsage;
  }
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  bounce::ReportRange range;
  const auto since = parse_moment(options.since, open->now, {});
  const auto until = parse_moment(options.until, open->now, open->now);
  for (const auto* moment : {&since, &until}) {
    if (moment->ok()) continue;
    failed(moment->error());
    return kUsage;
  }
  range.since = since.value();
  range.until = until.value();
  range.site = options.site;
  range.source = options.source;
  range.sender_domain = options.sender_domain;
  const auto made = bounce::make_report(open->ledger->database(), by, range, options.limit);
  if (!made.ok()) return failed(made.error());
  if (options.as_json) {
    print_json(report_as_json(made.value(), options.by));
  } else {
    const std::string text =
        options.as_csv ? report_csv(made.value(), options.by) : report_table(made.value(), options.by);
    std::fputs(text.c_str(), stdout);
  }
  return kDone;
}

}  // namespace

void add_report_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command = parser->add_subcommand("report", "what became of mail, over any span of time");
  command->add_option("--by", options->by, "reason, type, site, source, sender-domain, day or hour")
      ->capture_default_str();
  command->add_option("--since", options->since, "an age (\"36h\", \"7d\") or a date in UTC")
      ->capture_default_str();
  command->add_option("--until", options->until, "likewise; now unless it is said");
  command->add_option("--site", options->site, "only of sites like this mask");
  command->add_option("--source", options->source, "only of sources like this mask");
  command->add_option("--sender-domain", options->sender_domain, "only of sender domains like this mask");
  command->add_option("--limit", options->limit, "lines at most")->capture_default_str();
  command->add_option("--ledger", options->ledger, "the file, instead of that of the configuration");
  CLI::Option* csv = command->add_flag("--csv", options->as_csv, "as CSV, without the texts");
  command->add_flag("--json", options->as_json, "as JSON")->excludes(csv);
  command->callback([=] { invocation->run = [=] { return report(*invocation, *options); }; });
}

}  // namespace relay::cli
