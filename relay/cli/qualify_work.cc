#include "relay/cli/qualify_work.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "bounce/classification.h"
#include "bounce/diagnostic.h"
#include "bounce/rule_set.h"
#include "bounce/text_template.h"
#include "relay/cli/cli.h"
#include "relay/cli/qualify_files.h"

namespace relay::cli {
namespace {

using bounce::Row;
using nlohmann::json;

bool said(const std::string& wanted, const char* word) { return wanted.empty() || wanted == word; }

const Row* wanted_row(const QualifyFiles& files, const QualifyOptions& options) {
  const Row* row = files.table.find(options.row);
  if (row == nullptr)
    std::fprintf(stderr,
                 "penstock: there is no row \"%s\", or more than one begins so; see penstock qualify list\n",
                 options.row.c_str());
  return row;
}

template <typename Word>
bool choose(const char* what, const std::string& text, std::initializer_list<Word> words, Word* out) {
  if (text.empty()) return true;
  std::string all;
  for (const Word word : words) {
    if (text == to_text(word)) {
      *out = word;
      return true;
    }
    all += std::string(all.empty() ? "" : ", ") + to_text(word);
  }
  std::fprintf(stderr, "penstock: \"%s\" is no %s: %s\n", text.c_str(), what, all.c_str());
  return false;
}

void print_row(const Row& row) {
  std::printf("%s  %6u  %-10s  %-16s  %-11s  %-10s  %s\n", bounce::row_text(row.key).c_str(), row.occurrences,
              to_text(row.status), bounce::label(row.reason), to_text(row.type), to_text(row.scope),
              row.text.c_str());
}

// What `changes` would relabel: rows and past replies. True when there is something.
void print_changes(const std::vector<std::pair<const Row*, bounce::Qualification>>& changes,
                   const char* will) {
  uint64_t replies = 0;
  for (const auto& [row, meaning] : changes) replies += row->occurrences;
  std::printf("%s %zu rows with %llu past replies\n", will, changes.size(),
              static_cast<unsigned long long>(replies));
  for (size_t i = 0; i < changes.size() && i < 10; ++i) {
    const auto& [row, meaning] = changes[i];
    std::printf("  %s: %s -> %s (%s, %s) by %s: %s\n", bounce::row_text(row->key).c_str(),
                bounce::label(row->reason), bounce::label(meaning.reason), to_text(meaning.type),
                to_text(meaning.scope), meaning.rule.c_str(), row->text.c_str());
  }
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
  for (const Row* row : files->table.rows()) {
    if (!said(options.status, to_text(row->status)) || (reason && *reason != row->reason)) continue;
    if (left-- == 0) break;
    print_row(*row);
  }
  return kDone;
}

int qualify_show(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const Row* row = wanted_row(*files, options);
  if (row == nullptr) return kFailed;
  print_row(*row);
  std::printf("first text  %s\ndecided by  %s\nfirst seen  %lld\nlast seen   %lld\n", row->first_text.c_str(),
              row->rule.c_str(), static_cast<long long>(conf::unix_micros(row->first_seen) / 1'000'000),
              static_cast<long long>(conf::unix_micros(row->last_seen) / 1'000'000));
  for (const auto& [site, count] : row->sites) std::printf("site        %s about %u\n", site.c_str(), count);
  return kDone;
}

int qualify_explain(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, false);
  if (!files) return kUsage;
  const std::shared_ptr<const bounce::Qualifier> qualifier = files->qualifier();
  if (qualifier == nullptr) return kUsage;
  const bounce::Reply reply = bounce::read_diagnostic(options.row);
  bounce::Occasion occasion;
  occasion.reply = &reply;
  const bounce::Qualification meaning = qualifier->qualify(occasion);
  std::printf("template  %s\nrow       %s\nfolded    %s\nmeaning   %s, %s, scope %s, pace %s%s%s\n",
              bounce::text_template(reply).c_str(), bounce::row_text(meaning.row).c_str(),
              bounce::folded_text(reply).c_str(), bounce::label(meaning.reason),
              bounce::type_label(meaning.type), to_text(meaning.scope), to_text(meaning.pace),
              meaning.act == bounce::Act::kNone ? "" : ", act ",
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

int qualify_set(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const Row* row = wanted_row(*files, options);
  if (row == nullptr) return kFailed;
  bounce::RowVerdict verdict = {row->key, row->reason, row->type, row->scope};
  bounce::RowStatus status = bounce::RowStatus::kKeep;
  if (!options.reason.empty()) {
    const std::optional<bounce::Reason> reason = bounce::parse_reason(options.reason);
    if (!reason) std::fprintf(stderr, "penstock: \"%s\" is no reason\n", options.reason.c_str());
    if (!reason) return kUsage;
    verdict.reason = *reason;
  }
  using bounce::ErrorType, bounce::RowStatus, bounce::Scope;
  if (!choose("type", options.type, {ErrorType::kHard, ErrorType::kSoft, ErrorType::kIgnored},
              &verdict.type) ||
      !choose("scope", options.scope,
              {Scope::kRecipient, Scope::kMessage, Scope::kConnection, Scope::kSite, Scope::kSender},
              &verdict.scope) ||
      !choose("status", options.status, {RowStatus::kKeep, RowStatus::kIgnore, RowStatus::kToQualify},
              &status))
    return kUsage;
  if (verdict.type == ErrorType::kNotDefined) verdict.type = ErrorType::kSoft;
  if (verdict.type == ErrorType::kHard && verdict.scope != Scope::kRecipient) {
    std::fprintf(stderr,
                 "penstock: hard says that the address is not there: it goes with --scope recipient\n");
    return kUsage;
  }
  std::printf("%s 1 row with %u past replies: %s -> %s (%s, %s), status %s\n",
              options.apply ? "relabelled" : "would relabel", row->occurrences, bounce::label(row->reason),
              bounce::label(verdict.reason), to_text(verdict.type), to_text(verdict.scope), to_text(status));
  if (!options.apply) {
    std::printf("nothing was changed; say --apply-to-past to do it\n");
    return kDone;
  }
  if (status == RowStatus::kToQualify) {
    files->table.undecide(row->key);
  } else {
    files->table.decide(row->key, verdict, status);
  }
  if (!files->save()) return kFailed;
  std::printf("a relay that runs takes it over with its next reload\n");
  return kDone;
}

int qualify_reset(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const Row* row = wanted_row(*files, options);
  if (row == nullptr) return kFailed;
  files->table.reset(row->key);
  return files->save() ? kDone : kFailed;
}

int qualify_import(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const std::optional<std::string> text = read_file(options.file);
  if (!text) return kFailed;
  bounce::QualificationTable fresh;
  const std::optional<std::string> problem = fresh.read(*text);
  if (problem) {
    std::fprintf(stderr, "penstock: %s: %s\n", options.file.c_str(), problem->c_str());
    return kUsage;
  }
  size_t known = 0;
  for (const Row* row : fresh.rows()) known += files->table.find(row->key) == nullptr ? 0 : 1;
  std::printf("%s %zu rows, %zu of them in place of rows of the same text\n",
              options.apply ? "imported" : "would import", fresh.rows().size(), known);
  if (!options.apply) return kDone;
  files->table.read(*text);
  return files->save() ? kDone : kFailed;
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
    const std::string line = std::to_string(code) + " " + event["reply"].get<std::string>();
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

int qualify_refresh(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, false);
  if (!files) return kUsage;
  const std::string place = files->files.shipped;
  if (place.empty()) {
    std::fprintf(stderr,
                 "penstock: say where shipped rules are kept: [replies] shipped_rules, or --shipped FILE\n");
    return kUsage;
  }
  files->files.shipped = options.file;
  const std::shared_ptr<const bounce::Qualifier> qualifier = files->qualifier();
  const std::optional<std::string> text = read_file(options.file);
  if (qualifier == nullptr || !text) return kUsage;
  print_changes(files->table.changes(*qualifier), options.apply ? "relabelled" : "would relabel");
  if (!options.apply) {
    std::printf("nothing was changed; say --apply-to-past to do it\n");
    return kDone;
  }
  if (!write_file(place, *text)) return kFailed;
  files->table.relabel(*qualifier);
  return files->files.table.empty() || files->save() ? kDone : kFailed;
}

}  // namespace relay::cli
