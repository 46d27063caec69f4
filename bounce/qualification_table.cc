#include "bounce/qualification_table.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "bounce/diagnostic.h"
#include "bounce/text_template.h"

namespace bounce {
namespace {

// A small list of the commonest: a newcomer takes the place of the rarest, with its count (Metwally et al.,
// 2005).
void count_site(std::string_view site, uint32_t count, std::vector<std::pair<std::string, uint32_t>>* sites) {
  if (site.empty()) return;
  auto found = std::ranges::find(*sites, site, [](const auto& each) { return std::string_view(each.first); });
  if (found == sites->end() && sites->size() == QualificationTable::kSites) {
    found = sites->end() - 1;
    found->first = site;
  } else if (found == sites->end()) {
    sites->emplace_back(site, 0);
    found = sites->end() - 1;
  }
  constexpr uint32_t kMost = QualificationTable::kMostOccurrences;
  found->second = std::min(found->second + std::min(count, kMost), kMost);
  for (; found != sites->begin() && (found - 1)->second < found->second; --found)
    std::iter_swap(found - 1, found);
}

void apply(const Qualification& meaning, Row* row) {
  row->rule = meaning.rule;
  if (row->decided) return;
  const bool unread = meaning.unread;
  row->status = unread ? RowStatus::kToQualify : RowStatus::kKeep;
  row->reason = meaning.reason;
  row->type = unread ? ErrorType::kNotDefined : meaning.type;
  row->scope = meaning.scope;
}

}  // namespace

const char* to_text(RowStatus status) {
  switch (status) {
    case RowStatus::kToQualify:
      return "to-qualify";
    case RowStatus::kKeep:
      return "keep";
    case RowStatus::kIgnore:
      return "ignore";
  }
  return "unknown";
}

const Row& QualificationTable::note(std::string_view first_text, const Reply& reply, std::string_view site,
                                    const Qualification& meaning, conf::WallTime now, uint32_t count) {
  std::string text = text_template(reply);
  const uint64_t key = row_key(text);
  if (rows_.size() >= most_rows_ && !rows_.contains(key)) make_room();
  Row& row = rows_[key];
  if (row.key == 0) {
    row.key = key;
    row.text = std::move(text);
    row.first_text = first_text.substr(0, kFirstTextOctets);
    row.first_seen = now;
  }
  row.last_seen = std::max(row.last_seen, now);
  row.occurrences = std::min(row.occurrences + std::min(count, kMostOccurrences), kMostOccurrences);
  count_site(site, count, &row.sites);
  apply(meaning, &row);
  return row;
}

void QualificationTable::make_room() {
  auto oldest = rows_.end();
  for (auto at = rows_.begin(); at != rows_.end(); ++at) {
    if (!at->second.decided && (oldest == rows_.end() || at->second.last_seen < oldest->second.last_seen))
      oldest = at;
  }
  if (oldest != rows_.end()) rows_.erase(oldest);
}

const Row* QualificationTable::find(uint64_t key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? nullptr : &found->second;
}

const Row* QualificationTable::find(std::string_view key_or_text) const {
  if (const Row* row = find(row_key(key_or_text))) return row;
  if (const Row* row = find(row_key(text_template(read_diagnostic(key_or_text))))) return row;
  const Row* only = nullptr;
  if (key_or_text.size() < 4 || key_or_text.size() > 16) return nullptr;
  for (const auto& [key, row] : rows_) {
    if (!row_text(key).starts_with(key_or_text)) continue;
    if (only != nullptr) return nullptr;
    only = &row;
  }
  return only;
}

std::vector<const Row*> QualificationTable::rows() const {
  std::vector<const Row*> all;
  for (const auto& [key, row] : rows_) all.push_back(&row);
  std::ranges::stable_sort(all, [](const Row* a, const Row* b) { return a->occurrences > b->occurrences; });
  return all;
}

bool QualificationTable::decide(uint64_t key, const RowVerdict& verdict, RowStatus status) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return false;
  Row& row = found->second;
  row.status = status;
  row.reason = verdict.reason;
  row.type = verdict.type;
  row.scope = verdict.scope;
  row.rule = "operator";
  row.decided = status != RowStatus::kToQualify;
  return true;
}

bool QualificationTable::undecide(uint64_t key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return false;
  found->second.decided = false;
  found->second.status = RowStatus::kToQualify;
  found->second.reason = Reason::kNotDefined;
  found->second.type = ErrorType::kNotDefined;
  found->second.rule.clear();
  return true;
}

bool QualificationTable::reset(uint64_t key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return false;
  found->second.occurrences = 0;
  return true;
}

void QualificationTable::put(Row row) {
  if (rows_.size() >= most_rows_ && !rows_.contains(row.key)) make_room();
  rows_[row.key] = std::move(row);
}

std::vector<RowVerdict> QualificationTable::verdicts() const {
  std::vector<RowVerdict> all;
  for (const auto& [key, row] : rows_) {
    if (!row.decided) continue;
    all.push_back(
        {key, row.reason, row.status == RowStatus::kIgnore ? ErrorType::kIgnored : row.type, row.scope});
  }
  return all;
}

namespace {

// Where refusals come from, the commonest first.
constexpr std::array<Stage, 7> kStages = {Stage::kRcpt, Stage::kDot,  Stage::kUnknown, Stage::kMail,
                                          Stage::kData, Stage::kEhlo, Stage::kGreeting};

// Does a row say what is read?
bool says(const Row& row, const Qualification& meaning) {
  Row read;
  apply(meaning, &read);
  return read.reason == row.reason && read.type == row.type && read.scope == row.scope;
}

}  // namespace

std::vector<std::pair<const Row*, Qualification>> QualificationTable::changes(
    const Qualifier& qualifier) const {
  std::vector<std::pair<const Row*, Qualification>> all;
  for (const auto& each : rows_) {
    const Row& row = each.second;
    if (row.decided) continue;  // it says what it says
    const Reply reply = read_diagnostic(row.first_text);
    Occasion occasion;
    occasion.reply = &reply;
    const std::string host = row.sites.empty() ? "" : row.sites.front().first;
    occasion.mx_host = std::string_view(host).substr(0, host.find(','));
    // The row does not say at which command its text was met: as long as one of them fits, nothing changed.
    const bool same = std::any_of(kStages.begin(), kStages.end(), [&](Stage stage) {
      occasion.stage = stage;
      return says(row, qualifier.qualify(occasion, row.text));
    });
    if (same) continue;
    occasion.stage = Stage::kRcpt;
    all.emplace_back(&row, qualifier.qualify(occasion, row.text));
  }
  return all;
}

void QualificationTable::take_back(const QualificationTable& before) {
  for (auto& [key, row] : rows_) {
    const Row* old = before.find(key);
    if (old == nullptr) {
      if (row.decided) undecide(key);
      continue;
    }
    row.status = old->status;
    row.reason = old->reason;
    row.type = old->type;
    row.scope = old->scope;
    row.rule = old->rule;
    row.decided = old->decided;
  }
}

void QualificationTable::relabel(const Qualifier& qualifier) {
  for (const auto& [row, meaning] : changes(qualifier)) apply(meaning, &rows_.at(row->key));
}

}  // namespace bounce
