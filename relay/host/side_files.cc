#include "relay/host/side_files.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string_view>

#include "bounce/qualification_table.h"
#include "conf/read_file.h"
#include "relay/host/text_table_file.h"

namespace relay {

namespace {

std::string path_beside(const std::string& file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path).string();
}

size_t print_of_file(const std::string& path) {
  const conf::Result<std::string> text = conf::read_regular_file(path);
  return text.ok() ? std::hash<std::string_view>()(text.value()) : 0;
}

size_t print_of_decisions(const std::string& path) {
  bounce::QualificationTable table;
  if (!read_text_table(path, &table).ok()) return 0;
  std::string text;
  for (const bounce::RowVerdict& verdict : table.verdicts()) {
    for (const uint64_t part : {verdict.row, static_cast<uint64_t>(verdict.reason),
                                static_cast<uint64_t>(verdict.type), static_cast<uint64_t>(verdict.scope)})
      text += std::to_string(part) + ' ';
  }
  return std::hash<std::string_view>()(text);
}

}  // namespace

void SideFiles::add(const std::string& key, const std::string& path) {
  if (!path.empty()) files_.try_emplace(path, File{key, print_of_file(path)});
}

SideFiles SideFiles::read(const conf::Config& config) {
  SideFiles files;
  const auto add_beside = [&](const std::string& key, const std::string& path) {
    if (!path.empty()) files.add(key, path_beside(config.file, path));
  };
  add_beside("[replies] rules", config.replies.rules);
  if (config.replies.shipped_rules != conf::RepliesSettings::kBuiltInRules)
    add_beside("[replies] shipped_rules", config.replies.shipped_rules);
  const std::string& mx = config.mx.shipped_rules;
  if (mx != conf::MxSettings::kBuiltInRules && mx != conf::MxSettings::kNoRules)
    files.add("[mx] shipped_rules", mx);
  files.add("[tls] certificate", config.tls_certificate);
  files.add("[tls] key", config.tls_key);
  files.add("[tls] ca_file", config.tls_ca_file);
  files.add("[returns] keys", config.returns.keys);
  for (const conf::DkimKey& key : config.dkim.keys) files.add("[[dkim_key]] file", key.file);
  const char* const credentials = std::getenv("CREDENTIALS_DIRECTORY");
  for (const conf::Login& login : config.logins) {
    const std::string of = "[[login]] " + login.name;
    files.add(of + " file", login.file);
    if (!login.credential.empty() && credentials != nullptr)
      files.add(of + " credential", std::string(credentials) + '/' + login.credential);
    files.add(of + " certificate", login.certificate);
    files.add(of + " key", login.key);
  }
  const std::string table = text_table_path(config);
  if (!table.empty()) files.files_[table] = {"[replies] table", print_of_decisions(table), true};
  return files;
}

std::vector<std::string> SideFiles::changes_to(const SideFiles& after) const {
  std::vector<std::string> changes;
  for (const auto& [path, now] : after.files_) {
    const auto before = files_.find(path);
    if (before == files_.end() || before->second.print == now.print) continue;
    changes.push_back(path + " (" + now.key +
                      "): " + (now.is_table ? "other decisions than before" : "another text than before"));
  }
  return changes;
}

}  // namespace relay
