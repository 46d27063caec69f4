#include "relay/host/configuration.h"

#include <crypt.h>

#include <filesystem>
#include <iterator>
#include <utility>

#include "bounce/rule_layers.h"
#include "conf/config_words.h"
#include "relay/host/silent_mistakes.h"
#include "relay/host/text_table_file.h"

namespace relay {

namespace {

// A path in the configuration, as seen from the folder of its file.
std::string beside(const std::string& file, const std::string& path) {
  return path.empty() ? path : (std::filesystem::path(file).parent_path() / path).string();
}

// Null, with problems, when a file of rules or an example in it is wrong.
std::shared_ptr<const bounce::Qualifier> qualifier_of(const conf::Config& config, bool may_read,
                                                      std::vector<conf::Problem>* problems) {
  const conf::RepliesSettings& settings = config.replies;
  bounce::Unread unread;
  unread.fail_if_permanent = settings.fail_unknown_5yz;
  if (settings.unknown == conf::UnknownText::kIgnored) unread.type = conf::ErrorType::kIgnored;
  bounce::RuleFiles files;
  files.own_text = settings.own_rules;
  files.own_file = config.file;
  if (may_read) {
    files.rules = beside(config.file, settings.rules);
    if (settings.shipped_rules != conf::RepliesSettings::kBuiltInRules)
      files.shipped = beside(config.file, settings.shipped_rules);
    files.table = text_table_path(config);
    std::error_code ignored;
    if (!std::filesystem::exists(files.table, ignored)) files.table.clear();
  }
  return bounce::load_qualifier(files, unread, problems);
}

// Hashes of secrets that others can read, exchange, or guess the secret of, or that no secret fits; warnings.
void look_at_secrets(const conf::Config& config, bool may_read, std::vector<conf::Problem>* problems) {
  if (config.users.empty()) return;
  const auto warn = [&](std::string what) {
    problems->push_back({config.file, 0, 0, std::move(what), true});
  };
  std::error_code code;
  const auto mode = std::filesystem::status(config.file, code).permissions();
  using std::filesystem::perms;
  const perms open = perms::others_all | perms::group_write;
  if (may_read && !code && (mode & open) != perms::none)
    warn("the hashes of the secrets of [[user]] are open to others here: chmod 640 " + config.file);
  for (const conf::User& user : config.users) {
    const int known = ::crypt_checksalt(user.secret_hash.c_str());
    if (known == CRYPT_SALT_INVALID || known == CRYPT_SALT_METHOD_DISABLED)
      warn("the secret of [[user]] " + user.name +
           " is no hash that crypt(3) of this system knows: nobody can log in with it; `penstock "
           "hash-password` makes one");
    if (!user.secret_hash.starts_with("$1$")) continue;
    warn("the secret of [[user]] " + user.name +
         " is an MD5 hash ($1$), which is guessed fast: `penstock hash-password` makes a better one");
  }
}

// `words` are for the places of warnings. `may_read`: whether files that the configuration names are read.
Configuration with_book(conf::ParsedConfig parsed, const conf::ConfigWords& words, bool may_read) {
  Configuration out;
  out.problems = std::move(parsed.problems);
  if (parsed.draft == nullptr) return out;
  mx::BuiltRules built = mx::build_rules(parsed.draft->rules);
  out.problems.insert(out.problems.end(), std::make_move_iterator(built.problems.begin()),
                      std::make_move_iterator(built.problems.end()));
  std::shared_ptr<const bounce::Qualifier> qualifier = qualifier_of(*parsed.draft, may_read, &out.problems);
  if (!conf::has_error(out.problems)) {
    std::vector<conf::Problem> silent = silent_mistakes(*parsed.config, *built.book, words);
    out.problems.insert(out.problems.end(), std::make_move_iterator(silent.begin()),
                        std::make_move_iterator(silent.end()));
    look_at_secrets(*parsed.config, may_read, &out.problems);
  }
  conf::sort_problems(parsed.draft->file, &out.problems);
  if (conf::has_error(out.problems)) return out;
  out.config = std::move(parsed.config);
  out.book = std::move(built.book);
  out.qualifier = std::move(qualifier);
  return out;
}

}  // namespace

Configuration load_configuration(const std::string& path) {
  return with_book(conf::load_config(path), conf::ConfigWords::load(path), true);
}

Configuration parse_configuration(std::string_view text, const std::string& file_name) {
  return with_book(conf::parse_config(text, file_name), conf::ConfigWords(text), false);
}

}  // namespace relay
