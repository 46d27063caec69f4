// penstock qualify: the table of the texts of refusals, and the rules that read them. Works on files; a
// running relay is not asked and not told.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/qualify_work.h"

namespace relay::cli {
namespace {

using QualifyOptionsPtr = std::shared_ptr<QualifyOptions>;

void bind(CLI::App* command, const QualifyOptionsPtr& options, Invocation* invocation,
          int (*work)(const QualifyOptions&)) {
  command->callback([=] {
    invocation->run = [=] {
      options->config = invocation->config_path;
      return work(*options);
    };
  });
}

void add_row_option(CLI::App* command, const QualifyOptionsPtr& options) {
  command->add_option("row", options->row, "the key of the row, its first digits, or a text of it")
      ->required();
}

void add_looks(CLI::App* qualify, const QualifyOptionsPtr& options, Invocation* invocation) {
  CLI::App* list = qualify->add_subcommand("list", "the commonest texts and what they mean");
  list->add_option("--status", options->status, "only to-qualify, keep or ignore");
  list->add_option("--reason", options->reason, "only of this reason");
  list->add_option("--limit", options->limit, "how many at most")->capture_default_str();
  bind(list, options, invocation, qualify_list);
  CLI::App* show = qualify->add_subcommand("show", "all about one row");
  add_row_option(show, options);
  bind(show, options, invocation, qualify_show);
  CLI::App* explain =
      qualify->add_subcommand("explain", "how a reply is read, and by which rule of which file");
  explain->add_option("reply", options->row, "such as \"550 5.1.1 user unknown\"")->required();
  explain->add_option("--host", options->host, "the MX host that spoke, for rules that ask for it");
  explain->add_option("--domain", options->domain, "the recipient or its domain, for rules that ask for it");
  explain->add_option("--source", options->source, "the name of the source, for rules that ask for it");
  explain->add_option("--stage", options->stage,
                      "what was answered: connect, ehlo, mail, rcpt, data, dot, ...");
  bind(explain, options, invocation, qualify_explain);
  CLI::App* test = qualify->add_subcommand("test", "run the examples of all rules");
  bind(test, options, invocation, qualify_test);
  CLI::App* print = qualify->add_subcommand("export", "print the table as it is kept, for import elsewhere");
  bind(print, options, invocation, qualify_export);
}

void add_changes(CLI::App* qualify, const QualifyOptionsPtr& options, Invocation* invocation) {
  const auto applied = [options](CLI::App* command) {
    command->add_flag("--apply-to-past", options->apply,
                      "do it; without this the command only says what it would do");
  };
  CLI::App* set = qualify->add_subcommand("set", "decide what a text means");
  add_row_option(set, options);
  set->add_option("--reason", options->reason, "such as mailbox-full");
  set->add_option("--type", options->type, "hard, soft or ignored");
  set->add_option("--scope", options->scope, "recipient, message, connection, site or sender");
  set->add_option("--status", options->status,
                  "keep, ignore (it never counts against an address), or to-qualify to undo");
  applied(set);
  bind(set, options, invocation, qualify_set);
  CLI::App* reset = qualify->add_subcommand("reset", "count a row from 0 again");
  add_row_option(reset, options);
  bind(reset, options, invocation, qualify_reset);
  CLI::App* brought = qualify->add_subcommand("import", "add the rows of an exported table");
  brought->add_option("file", options->file, "what export has printed")->required();
  applied(brought);
  bind(brought, options, invocation, qualify_import);
  CLI::App* learn = qualify->add_subcommand("learn", "count the refusals of a delivery log into the table");
  learn->add_option("file", options->file, "a delivery log, one JSON object a line")->required();
  bind(learn, options, invocation, qualify_learn);
  CLI::App* refresh =
      qualify->add_subcommand("refresh", "take a new file of shipped rules; local ones stay as they are");
  refresh->add_option("file", options->file, "the file of rules")->required();
  applied(refresh);
  bind(refresh, options, invocation, qualify_refresh);
  CLI::App* again = qualify->add_subcommand(
      "relabel", "what the rules, as they stand now, read otherwise than the table says");
  applied(again);
  bind(again, options, invocation, qualify_relabel);
  CLI::App* undo = qualify->add_subcommand(
      "undo", "take back the last set, import, refresh or relabel; once more the one before");
  bind(undo, options, invocation, qualify_undo);
  CLI::App* history = qualify->add_subcommand("history", "what undo can take back, the last deed first");
  bind(history, options, invocation, qualify_history);
}  // namespace

}  // namespace

void add_qualify_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<QualifyOptions>();
  CLI::App* qualify =
      parser->add_subcommand("qualify", "what refusals mean: the table of their texts, and the rules");
  qualify->require_subcommand(1);
  qualify->fallthrough();
  qualify->add_option("--table", options->table, "the file of the table");
  qualify->add_option("--rules", options->rules,
                      "a file of local rules, which stand before the shipped ones");
  qualify->add_option("--shipped", options->shipped,
                      "a file of shipped rules in place of those of the program");
  qualify->add_option("--ledger", options->ledger, "the ledger of addresses; default: of the configuration");
  qualify->add_option("--socket", options->socket, "of the relay; default: of the configuration");
  add_looks(qualify, options, invocation);
  add_changes(qualify, options, invocation);
}

}  // namespace relay::cli
