#include "relay/cli/qualify_files.h"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "conf/config_parser.h"
#include "conf/read_file.h"
#include "relay/cli/reply_rules_file.h"

namespace relay::cli {

std::optional<std::string> read_file(const std::string& path) {
  conf::Result<std::string> text = conf::read_file(path);
  if (text.ok()) return std::move(text).value();
  std::fprintf(stderr, "penstock: cannot read %s: %s\n", path.c_str(), text.error().detail.c_str());
  return std::nullopt;
}

bool write_file(const std::string& path, const std::string& text) {
  const conf::Status status = replace_file(path, text);
  if (!status.ok()) std::fprintf(stderr, "penstock: %s\n", status.error().detail.c_str());
  return status.ok();
}

std::shared_ptr<const bounce::Qualifier> QualifyFiles::qualifier() const { return qualifier_of(files); }

bool QualifyFiles::save() const {
  const conf::Status status = write_text_table(files.table, table);
  if (!status.ok()) std::fprintf(stderr, "penstock: %s\n", status.error().detail.c_str());
  return status.ok();
}

namespace {

// What the configuration says, where there is one.
bounce::RuleFiles files_of(const std::string& config_path) {
  bounce::RuleFiles files;
  const conf::ConfigPtr config = conf::load_config(config_path).config;
  if (config == nullptr) return files;
  files.table = text_table_path(*config);
  const conf::RepliesSettings& replies = config->replies;
  const auto beside = [&](const std::string& path) {
    return path.empty() ? path : (std::filesystem::path(config->file).parent_path() / path).string();
  };
  files.own_text = replies.own_rules;
  files.own_file = config->file;
  files.rules = beside(replies.rules);
  if (replies.shipped_rules != conf::RepliesSettings::kBuiltInRules)
    files.shipped = beside(replies.shipped_rules);
  return files;
}

}  // namespace

std::optional<QualifyFiles> open_files(const QualifyOptions& options, bool needs_table) {
  QualifyFiles out;
  if (options.table.empty()) out.files = files_of(options.config);
  if (!options.table.empty()) out.files.table = options.table;
  if (!options.rules.empty()) out.files.rules = options.rules;
  if (!options.shipped.empty()) out.files.shipped = options.shipped;
  if (out.files.table.empty()) {
    if (!needs_table) return out;
    std::fprintf(stderr,
                 "penstock: no table of texts: %s cannot be read, or says table = \"off\"; name one with "
                 "--table FILE\n",
                 options.config.c_str());
    return std::nullopt;
  }
  out.lock = std::make_unique<FolderLock>(out.files.table);
  const conf::Status read = read_text_table(out.files.table, &out.table);
  if (read.ok()) return out;
  std::fprintf(stderr, "penstock: %s\n", read.error().detail.c_str());
  return std::nullopt;
}

const bounce::Row* wanted_row(const QualifyFiles& files, const QualifyOptions& options) {
  const bounce::Row* row = files.table.find(options.row);
  if (row == nullptr)
    std::fprintf(stderr,
                 "penstock: there is no row \"%s\", or more than one begins so; see penstock qualify list\n",
                 options.row.c_str());
  return row;
}

}  // namespace relay::cli
