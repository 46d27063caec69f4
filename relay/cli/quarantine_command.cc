// penstock quarantine: addresses that get no mail, why, and how they get it again. Works on the ledger's
// file; a running relay sees the changes within a second or two.
#include <CLI/CLI.hpp>
#include <memory>

#include "relay/cli/command.h"
#include "relay/cli/quarantine_work.h"

namespace relay::cli {
namespace {

using QuarantineOptionsPtr = std::shared_ptr<QuarantineOptions>;
using Work = int (*)(const Invocation&, const QuarantineOptions&);

struct Builder {
  CLI::App* quarantine;
  QuarantineOptionsPtr options;
  Invocation* invocation;

  CLI::App* command(const char* name, const char* help, Work work) const {
    CLI::App* made = quarantine->add_subcommand(name, help);
    made->callback([options = options, invocation = invocation, work] {
      invocation->run = [options, invocation, work] { return work(*invocation, *options); };
    });
    return made;
  }
  void list_option(CLI::App* to) const {
    to->add_option_function<std::string>(
        "--list", [options = options](const std::string& list) { options->list = list; },
        "the list of a sender domain or a user; \"\" is everybody's");
  }
  void filters(CLI::App* to) const {
    to->add_option("--status", options->status, "quarantine, denylisted, allowlisted or with-errors");
    to->add_option("--since", options->since,
                   "the status changed since: \"36h\", \"2026-11-25 14:30\" (UTC)");
    to->add_option("--until", options->until, "and until then");
    to->add_option("--domain", options->domain, "domain of the address, a mask");
    to->add_option("--site", options->site, "an MX host of the receiver, a mask");
    to->add_option("--reason", options->reason, "such as user-unknown or mailbox-full");
    to->add_option("--text", options->text, "part of the refusal, any case");
    to->add_option("--rule", options->rule, "the rule that qualified the refusal");
    list_option(to);
  }
  void addresses(CLI::App* to) const {
    to->add_option("address", options->addresses, "one or more addresses")->required();
    list_option(to);
  }
};

void add_looks(const Builder& build) {
  CLI::App* list =
      build.command("list", "addresses and why they are there, the latest first", quarantine_list);
  build.filters(list);
  list->add_option("--limit", build.options->limit, "how many at most")->capture_default_str();
  CLI::App* show = build.command("show", "all about one address", quarantine_show);
  show->add_option("address", build.options->addresses)->required()->expected(1);
  CLI::App* history = build.command("history", "what changed, the latest first", quarantine_history);
  history->add_option("address", build.options->addresses, "of this address only")->expected(1);
  history->add_option("--batch", build.options->batch, "of this batch only");
  history->add_option("--limit", build.options->limit, "how many at most")->capture_default_str();
  build.filters(build.command("export", "print addresses as CSV", quarantine_export));
  CLI::App* waves =
      build.command("waves", "what the outage guard holds back, and what becomes of it", quarantine_waves);
  waves->add_option("--release", build.options->release_wave,
                    "it was an outage: forget the errors of this wave");
  waves->add_option("--confirm", build.options->confirm_wave, "the errors of this wave are true: apply them");
  waves->add_flag("--yes", build.options->yes, "do it; without this the command shows what is meant");
}

void add_changes(const Builder& build) {
  CLI::App* add = build.command("add", "set addresses to a status", quarantine_add);
  build.addresses(add);
  add->add_option("--status", build.options->status,
                  "quarantine (unless it is said), denylisted or allowlisted");
  add->add_option("--reason", build.options->reason, "such as user-unknown");
  add->add_option("--text", build.options->text, "why, for whoever looks later");
  build.addresses(build.command("remove", "mail goes to these addresses again", quarantine_remove));
  CLI::App* brought =
      build.command("import", "set the addresses of a file: CSV, or one a line", quarantine_import);
  brought->add_option("file", build.options->file, "the file; - is standard input")->required();
  brought->add_option("--status", build.options->status,
                      "for rows that say none: quarantine unless it is said");
  build.list_option(brought);
  CLI::App* release = build.command("release", "back to valid, whatever matches", quarantine_release);
  build.filters(release);
  release->add_flag("--all", build.options->all, "without any filter: the whole quarantine");
  release->add_flag("--yes", build.options->yes, "do it; without this the command shows what is meant");
  CLI::App* undo = build.command("undo", "take a batch of changes back as a whole", quarantine_undo);
  undo->add_option("batch", build.options->batch, "its number")->required();
}

}  // namespace

void add_quarantine_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<QuarantineOptions>();
  CLI::App* quarantine =
      parser->add_subcommand("quarantine", "addresses that get no mail, why, and how they get it again");
  quarantine->require_subcommand(1);
  quarantine->fallthrough();
  quarantine->add_option("--ledger", options->ledger, "the file, instead of that of the configuration");
  quarantine->add_flag("--json", options->as_json, "answer in JSON");
  const Builder build{quarantine, options, invocation};
  add_looks(build);
  add_changes(build);
}

}  // namespace relay::cli
