// The commands of `penstock qualify` that change what texts mean. Each says first what it would relabel.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "bounce/classification.h"
#include "bounce/diagnostic.h"
#include "bounce/qualification_table.h"
#include "bounce/text_template.h"
#include "relay/cli/cli.h"
#include "relay/cli/qualify_files.h"
#include "relay/cli/qualify_work.h"
#include "relay/cli/relabelling.h"
#include "relay/cli/reply_rules_file.h"
#include "relay/cli/time_words.h"
#include "relay/cli/undo_notes.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using bounce::Row;
using Changes = std::vector<std::pair<const Row*, bounce::Qualification>>;

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
  std::fputs(wrapped("", "penstock: \"" + text + "\" is no " + what + ": " + all).c_str(), stderr);
  return false;
}

const char* verb(const QualifyOptions& options) { return options.apply ? "relabelled" : "would relabel"; }

// What `changes` would relabel: rows and past replies.
void print_changes(const Changes& changes, const QualifyOptions& options) {
  uint64_t replies = 0;
  for (const auto& [row, meaning] : changes) replies += row->occurrences;
  std::printf("%s %zu rows with %llu past replies\n", verb(options), changes.size(),
              static_cast<unsigned long long>(replies));
  for (size_t i = 0; i < changes.size() && i < 10; ++i) {
    const auto& [row, meaning] = changes[i];
    std::printf("  %s: %s -> %s (%s, %s) by %s: %s\n", bounce::row_text(row->key).c_str(),
                bounce::label(row->reason), bounce::label(meaning.reason), to_text(meaning.type),
                to_text(meaning.scope), meaning.rule.c_str(), row->text.c_str());
  }
}

int nothing_changed() {
  std::printf("nothing was changed; say --apply-to-past to do it\n");
  return kDone;
}

Relabelling meanings_of(const Changes& changes) {
  Relabelling out;
  for (const auto& [row, meaning] : changes) out[row->key] = meaning;
  return out;
}

// The past follows: says what is meant, or does it after `change` has changed the table, and keeps what undo
// needs.
int past_follows(const QualifyOptions& options, QualifyFiles* files, const Relabelling& rows, UndoNote note,
                 const std::function<bool()>& change) {
  note.table_text = files->table.write();
  note.at = conf::SystemClock().wall();
  if (!relabel_past(options, rows, options.apply, &note.batch)) return kFailed;
  if (!options.apply) return nothing_changed();
  if (!write_undo_note(files->files.table, note)) {
    if (note.batch != 0) (void)undo_past(options, note.batch);  // nobody would know that batch
    return kFailed;
  }
  if (!change() || !files->save()) return kFailed;
  std::printf(
      "a relay that runs takes it over with its next reload; take it back with: penstock qualify undo\n");
  return kDone;
}

UndoNote note_of(std::string what) {
  UndoNote note;
  note.what = std::move(what);
  return note;
}

// The file of shipped rules as it was, or none.
bool put_back(const UndoNote& note) {
  if (note.shipped_was_there) return write_file(note.shipped, note.shipped_text);
  std::error_code code;
  std::filesystem::remove(note.shipped, code);
  if (code) std::fprintf(stderr, "penstock: %s: %s\n", note.shipped.c_str(), code.message().c_str());
  return !code;
}

// Why a decision of Hard is none that the relay would follow; null: it is one.
const char* not_hard(bounce::Scope scope, const std::string& text) {
  if (scope != bounce::Scope::kRecipient)
    return "hard says that the address is not there: it goes with --scope recipient";
  if (text.starts_with('4'))
    return "a 4yz is never hard (RFC 5321 section 4.2.1: it may pass); soft is what it can be";
  return nullptr;
}

// What a row means once nobody decides it.
std::optional<bounce::Qualification> undecided(const QualifyFiles& files, const Row& row) {
  bounce::RuleFiles rules = files.files;
  rules.table.clear();
  const std::shared_ptr<const bounce::Qualifier> qualifier = qualifier_of(rules);
  if (qualifier == nullptr) return std::nullopt;
  const bounce::Reply reply = bounce::read_diagnostic(row.first_text);
  return qualifier->qualify({bounce::Stage::kRcpt, &reply});
}

}  // namespace

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
  const char* why = verdict.type == ErrorType::kHard ? not_hard(verdict.scope, row->text) : nullptr;
  if (why != nullptr) {
    std::fprintf(stderr, "penstock: %s\n", why);
    return kUsage;
  }
  bounce::Qualification meaning;
  meaning.reason = verdict.reason;
  meaning.type = status == RowStatus::kIgnore ? ErrorType::kIgnored : verdict.type;
  meaning.scope = verdict.scope;
  if (status == RowStatus::kToQualify) {
    const std::optional<bounce::Qualification> read = undecided(*files, *row);
    if (!read) return kUsage;
    meaning = *read;
  }
  std::printf("%s 1 row with %u past replies: %s -> %s (%s, %s), status %s\n", verb(options),
              row->occurrences, bounce::label(row->reason), bounce::label(meaning.reason),
              to_text(meaning.type), to_text(meaning.scope), to_text(status));
  const uint64_t key = row->key;
  return past_follows(options, &*files, {{key, meaning}}, note_of("set " + bounce::row_text(key)), [&] {
    return status == RowStatus::kToQualify ? files->table.undecide(key)
                                           : files->table.decide(key, verdict, status);
  });
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
  Relabelling changed;
  for (const Row* row : fresh.rows()) {
    const char* why = row->type == bounce::ErrorType::kHard ? not_hard(row->scope, row->text) : nullptr;
    if (why != nullptr) {
      std::fprintf(stderr, "penstock: %s: row %s: %s\n", options.file.c_str(),
                   bounce::row_text(row->key).c_str(), why);
      return kUsage;
    }
    const Row* present = files->table.find(row->key);
    known += present == nullptr ? 0 : 1;
    const bool same = present == nullptr || (present->reason == row->reason && present->type == row->type &&
                                             present->scope == row->scope && present->status == row->status);
    if (same) continue;
    bounce::Qualification& meaning = changed[row->key];
    meaning.reason = row->reason;
    meaning.type = row->status == bounce::RowStatus::kIgnore ? bounce::ErrorType::kIgnored : row->type;
    meaning.scope = row->scope;
  }
  std::printf("%s %zu rows, %zu of them in place of rows of the same text, %zu with another meaning\n",
              options.apply ? "imported" : "would import", fresh.rows().size(), known, changed.size());
  return past_follows(options, &*files, changed, note_of("import " + options.file),
                      [&] { return !files->table.read(*text); });
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
  const Changes changes = files->table.changes(*qualifier);
  print_changes(changes, options);
  if (files->files.table.empty()) {  // no past to look at
    if (!options.apply) return nothing_changed();
    return write_file(place, *text) ? kDone : kFailed;
  }
  UndoNote note = note_of("refresh " + options.file);
  note.shipped = place;
  note.shipped_was_there = std::filesystem::exists(place);
  if (note.shipped_was_there) {
    const std::optional<std::string> old = read_file(place);
    if (!old) return kFailed;
    note.shipped_text = *old;
  }
  return past_follows(options, &*files, meanings_of(changes), std::move(note), [&] {
    if (!write_file(place, *text)) return false;
    files->table.relabel(*qualifier);
    return true;
  });
}

int qualify_relabel(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const std::shared_ptr<const bounce::Qualifier> qualifier = files->qualifier();
  if (qualifier == nullptr) return kUsage;
  const Changes changes = files->table.changes(*qualifier);
  print_changes(changes, options);
  if (changes.empty()) return kDone;  // and the deed before can still be taken back
  return past_follows(options, &*files, meanings_of(changes), note_of("relabel"), [&] {
    files->table.relabel(*qualifier);
    return true;
  });
}

int qualify_undo(const QualifyOptions& options) {
  std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const std::optional<UndoNote> note = last_undo_note(files->files.table);
  if (!note) return kFailed;
  bounce::QualificationTable before;
  if (const std::optional<std::string> problem = before.read(note->table_text)) {
    std::fprintf(stderr, "penstock: the table as it was cannot be read: %s\n", problem->c_str());
    return kFailed;
  }
  files->table.take_back(before);
  if (!undo_past(options, note->batch)) return kFailed;
  if (!note->shipped.empty() && !put_back(*note)) return kFailed;
  if (!files->save()) return kFailed;
  remove_last_undo_note(files->files.table);
  std::printf("taken back: %s; a relay that runs takes it over with its next reload\n", note->what.c_str());
  return kDone;
}

int qualify_history(const QualifyOptions& options) {
  const std::optional<QualifyFiles> files = open_files(options, true);
  if (!files) return kUsage;
  const std::vector<UndoNote> notes = undo_notes(files->files.table);
  for (const UndoNote& note : notes) {
    const bool dated = note.at > conf::WallTime{};
    std::printf("%-19s  %s\n", dated ? moment_text(note.at).c_str() : "", note.what.c_str());
  }
  if (notes.empty()) std::fprintf(stderr, "penstock: there is nothing to take back\n");
  return kDone;
}

}  // namespace relay::cli
