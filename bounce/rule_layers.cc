#include "bounce/rule_layers.h"

#include <cstring>
#include <optional>
#include <utility>

#include "bounce/qualification_table.h"
#include "bounce/rule_set.h"
#include "conf/read_file.h"

namespace bounce {
namespace {

std::vector<ReplyRule> rules_of(const std::string& path, std::vector<conf::Problem>* problems) {
  const conf::Result<std::string> text = conf::read_regular_file(path);
  if (text.ok()) return parse_reply_rules(text.value(), path, problems);
  problems->push_back({path, 0, 0, "cannot be read: " + text.error().detail});
  return {};
}

}  // namespace

std::shared_ptr<const Qualifier> load_qualifier(const RuleFiles& files, Unread unread,
                                                std::vector<conf::Problem>* problems) {
  const bool plain = unread.type == ErrorType::kSoft && !unread.fail_if_permanent;
  if (plain && files.own_text.empty() && files.rules.empty() && files.shipped.empty() && files.table.empty())
    return Qualifier::shipped();
  std::vector<conf::Problem> found;
  std::vector<ReplyRule> local;
  if (!files.own_text.empty()) local = parse_own_reply_rules(files.own_text, files.own_file, &found);
  if (!files.rules.empty()) {
    for (ReplyRule& rule : rules_of(files.rules, &found)) local.push_back(std::move(rule));
  }
  std::vector<ReplyRule> shipped;
  if (files.shipped.empty()) {
    shipped = shipped_reply_rules();
  } else {
    shipped = rules_of(files.shipped, &found);
    for (ReplyRule& rule : shipped) rule.shipped = true;
  }
  QualificationTable table;
  const std::string table_path = files.table;
  const conf::Result<std::string> rows =
      table_path.empty() ? conf::Result<std::string>("") : conf::read_regular_file(table_path);
  if (rows.ok() || rows.error().code != conf::ErrorCode::kNotFound) {
    const std::optional<std::string> problem =
        rows.ok() ? table.read(rows.value()) : "cannot be read: " + rows.error().detail;
    if (problem) {  // decisions are missing then, and mail goes on
      problems->push_back({table_path, 0, 0, *problem + "; what was decided in it does not hold", true});
      table = QualificationTable();
    }
  }
  std::shared_ptr<const Qualifier> qualifier;
  if (found.empty()) {
    // A local rule may well take an example from a shipped one: those are held among themselves.
    if (!files.shipped.empty()) found = Qualifier::make({}, shipped)->rules().check_examples();
    qualifier = Qualifier::make(std::move(local), std::move(shipped), table.verdicts(), unread);
    for (conf::Problem& problem : qualifier->rules().check_examples(true))
      found.push_back(std::move(problem));
  }
  const bool good = found.empty();
  problems->insert(problems->end(), found.begin(), found.end());
  return good ? qualifier : nullptr;
}

}  // namespace bounce
