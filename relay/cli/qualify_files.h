// The files that `penstock qualify` works with.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bounce/qualification_table.h"
#include "bounce/rule_layers.h"
#include "relay/cli/qualify_work.h"
#include "relay/host/text_table_file.h"

namespace relay::cli {

struct QualifyFiles {
  bounce::RuleFiles files;
  bounce::QualificationTable table;
  std::unique_ptr<FolderLock> lock;  // until the command ends

  // Rules and decided rows, as they stand in the files; null with messages on stderr.
  std::shared_ptr<const bounce::Qualifier> qualifier() const;
  // Writes the table beside its place and renames it. False with a message.
  bool save() const;
};

// `needs_table`: false with a message when none is named. A table that is not there yet is empty.
std::optional<QualifyFiles> open_files(const QualifyOptions& options, bool needs_table);

// The row that the command line names; null, with a message, when none or several are.
const bounce::Row* wanted_row(const QualifyFiles& files, const QualifyOptions& options);

std::optional<std::string> read_file(
    const std::string& path);  // nothing, with a message, when it cannot be read
bool write_file(const std::string& path, const std::string& text);

}  // namespace relay::cli
