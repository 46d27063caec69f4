#include "relay/cli/qualify_work.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bounce/bare_name.h"
#include "bounce/classification.h"
#include "bounce/diagnostic.h"
#include "bounce/rule_set.h"
#include "bounce/text_template.h"
#include "conf/vocab/ascii.h"
#include "relay/cli/cli.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/qualify_files.h"
#include "relay/cli/time_words.h"

namespace relay::cli {
namespace {

using bounce::Row;
using nlohmann::json;

bool said(const std::string& wanted, const char* word) { return wanted.empty() || wanted == word; }

void print_row(const Row& row) {
  std::printf("%s  %6u  %-10s  %-16s  %-11s  %-10s  %s\n", bounce::row_text(row.key).c_str(), row.occurrences,
              to_text(row.status), bounce::label(row.reason), to_text(row.type), to_text(row.scope),
              row.text.c_str());
}

// A word as in the rules: "rcpt".
std::optional<conf::Stage> stage_of(const std::string& word) {
  for (int i = 0; i <= static_cast<int>(conf::Stage::kLogin); ++i) {
    const auto stage = static_cast<conf::Stage>(i);
    if (!word.empty() && word == to_text(stage)) return stage;
  }
  std::fprintf(
      stderr,
      "penstock: \"%s\" is no stage: dns, connect, greeting, ehlo, tls, login, mail, rcpt, data, dot, "
      "local, unknown\n",
      word.c_str());
  return std::nullopt;
}

}  // namespace

int qualify_list(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const std::optional<bounce::Reason> reason = bounce::parse_reason(options.reason);
  if (!options.reason.empty() && !reason) {
    std::fprintf(stderr, "penstock: \"%s\" is no reason\n", options.reason.c_str());
    return kUsage;
  }
  unsigned left = options.limit;
  bool any = false;
  for (const Row* row : files->table.rows()) {
    if (!said(options.status, to_text(row->status)) || (reason && *reason != row->reason)) continue;
    if (left-- == 0) break;
    print_row(*row);
    any = true;
  }
  if (!any) std::fprintf(stderr, "penstock: no such text is in the table\n");
  return kDone;
}

int qualify_show(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const Row* row = wanted_row(*files, options);
  if (row == nullptr) return kFailed;
  print_row(*row);
  std::printf("first text  %s\ndecided by  %s\nfirst seen  %s UTC\nlast seen   %s UTC\n",
              row->first_text.c_str(), row->rule.c_str(), moment_text(row->first_seen).c_str(),
              moment_text(row->last_seen).c_str());
  for (const auto& [site, count] : row->sites) std::printf("site        %s about %u\n", site.c_str(), count);
  return kDone;
}

int qualify_explain(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, false);
  if (!files) return kUsage;
  const std::shared_ptr<const bounce::Qualifier> qualifier = files->qualifier();
  if (qualifier == nullptr) return kUsage;
  const bounce::Reply reply = bounce::read_diagnostic(options.row);
  const std::string host = conf::ascii_lower(options.host);
  const std::string domain = conf::ascii_lower(options.domain.substr(options.domain.rfind('@') + 1));
  bounce::Occasion occasion;
  occasion.reply = &reply;
  occasion.mx_host = host;
  occasion.recipient_domain = domain;
  occasion.source = options.source;
  occasion.local_part = bounce::local_part_of(options.domain);
  if (!options.stage.empty()) {
    const std::optional<conf::Stage> stage = stage_of(options.stage);
    if (!stage) return kUsage;
    occasion.stage = *stage;
  } else if (reply.code != 0) {
    occasion.stage = bounce::stage_said(options.row);
  }
  const std::string text = bounce::text_template(reply, occasion.local_part);
  const bounce::Qualification meaning = qualifier->qualify(occasion);
  std::printf("template  %s\nrow       %s\nfolded    %s\nmeaning   %s, %s, scope %s, pace %s%s%s\n",
              text.c_str(), bounce::row_text(meaning.row).c_str(), bounce::folded_template(text).c_str(),
              bounce::label(meaning.reason), bounce::type_label(meaning.type), to_text(meaning.scope),
              to_text(meaning.pace), meaning.act == bounce::Act::kNone ? "" : ", act ",
              meaning.act == bounce::Act::kNone ? "" : to_text(meaning.act));
  const auto& rules = qualifier->rules().rules();
  const auto rule = std::ranges::find(rules, meaning.rule, &bounce::ReplyRule::name);
  if (rule != rules.end()) {
    std::printf("rule      %s (%s:%d)\n", rule->name.c_str(), rule->file.c_str(), rule->line);
  } else {
    std::printf("rule      %s\n",
                meaning.rule == "row" ? "none: the row was decided by an operator" : "none reads it");
  }
  return kDone;
}

int qualify_test(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, false);
  if (!files) return kUsage;
  const std::shared_ptr<const bounce::Qualifier> qualifier = files->qualifier();
  if (qualifier == nullptr) return kUsage;
  size_t local = 0, examples = 0;
  for (const bounce::ReplyRule& rule : qualifier->rules().rules()) {
    local += rule.shipped ? 0 : 1;
    examples += rule.match.size() + rule.no_match.size();
  }
  // A local rule may take an example from a shipped one; it is worth a word, and no error.
  for (const conf::Problem& problem : qualifier->rules().check_examples())
    std::printf("note: %s\n", problem.text().c_str());
  std::printf("good: %zu local rules, %zu shipped ones, %zu examples\n", local,
              qualifier->rules().rules().size() - local, examples);
  return kDone;
}

int qualify_export(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  std::fputs(files->table.write().c_str(), stdout);
  return kDone;
}

int qualify_learn(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const std::shared_ptr<const bounce::Qualifier> qualifier = files->qualifier();
  const std::optional<std::string> text = read_file(options.file);
  if (qualifier == nullptr || !text) return kUsage;
  size_t refusals = 0;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    const json event = json::parse(text->begin() + static_cast<long>(at),
                                   text->begin() + static_cast<long>(end), nullptr, false);
    at = end + 1;
    if (!event.is_object()) continue;
    const int code = event.contains("reply_code") && event["reply_code"].is_number_integer()
                         ? event["reply_code"].get<int>()
                         : 0;
    if (code < 400 || code > 599 || !event.contains("reply") || !event["reply"].is_string()) continue;
    const std::string said = bounce::without_bare_name(event["reply"].get<std::string>(),
                                                       bounce::local_part_of(text_of(event, "recipient")));
    const std::string status = text_of(event, "enhanced_status");
    const bool told = status.empty() || said.rfind(status, 0) == 0;  // older logs have it in the reply too
    const std::string line =
        told ? fmt::format("{} {}", code, said) : fmt::format("{} {} {}", code, status, said);
    const auto site = event.find("site");
    const bounce::Reply reply = bounce::read_diagnostic(line);
    bounce::Occasion occasion;
    occasion.reply = &reply;
    files->table.note(line, reply, site != event.end() && site->is_string() ? site->get<std::string>() : "",
                      qualifier->qualify(occasion), conf::SystemClock().wall());
    ++refusals;
  }
  std::printf("counted %zu refusals; the table has %zu rows\n", refusals, files->table.rows().size());
  return files->save() ? kDone : kFailed;
}

}  // namespace relay::cli
