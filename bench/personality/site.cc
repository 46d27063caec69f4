#include "bench/personality/site.h"

#include <algorithm>

namespace bench {
namespace {

constexpr size_t kMaxGreylisted = 1'000'000;  // 32 MB; beyond it the table starts again

// FNV-1a: the same in every run and on every machine, unlike std::hash.
uint64_t hash(uint64_t seed, std::string_view text) {
  uint64_t value = 0xcbf29ce484222325ULL ^ (seed * 0x9e3779b97f4a7c15ULL);
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return value;
}

void fill_in(std::string* text, std::string_view name, std::string_view value) {
  const size_t at = text->find(name);
  if (at != std::string::npos) text->replace(at, name.size(), value);
}

}  // namespace

Site::Site(const Group& group, uint64_t seed, conf::Instant start)
    : group_(group), random_(hash(seed, group.name)), seed_(seed), start_(start) {}

Verdict Site::broken(Limit limit, const Visit& visit) {
  ++tally_.broken[static_cast<size_t>(limit)];
  ++tally_.refused;
  Verdict verdict;
  verdict.kind = Verdict::Kind::kReply;
  verdict.reply = limit_reply(group_.wording, limit, visit.source);
  return verdict;
}

// Any window: what happened at `now - window` has just left it.
bool Site::window_full(std::deque<conf::Instant>* times, uint32_t most, conf::Instant now) const {
  while (!times->empty() && times->front() + group_.window <= now) times->pop_front();
  return times->size() >= most;
}

Verdict Site::arrive(Visit* visit, std::string source, conf::Instant now) {
  visit->source = std::move(source);
  ++tally_.connections;
  tally_.max_open = std::max(tally_.max_open, ++tally_.open);
  visit->counted = true;
  Source& from = sources_[visit->source];
  ++from.open;
  if (group_.max_connections != 0 && from.open > group_.max_connections)
    return broken(Limit::kConnections, *visit);
  if (group_.max_new_connections != 0) {
    if (window_full(&from.connections, group_.max_new_connections, now))
      return broken(Limit::kNewConnections, *visit);
    from.connections.push_back(now);
  }
  return faults(*visit, Stage::kConnect, visit->source, now);
}

void Site::leave(Visit* visit) {
  if (!visit->counted) return;
  visit->counted = false;
  --tally_.open;
  --sources_[visit->source].open;
}

Verdict Site::judge(Visit* visit, Stage stage, std::string_view argument, conf::Instant now) {
  if (stage == Stage::kMail) {
    if (group_.max_messages_per_connection != 0 && visit->messages >= group_.max_messages_per_connection)
      return broken(Limit::kMessagesPerConnection, *visit);
    if (group_.max_messages != 0) {
      Source& from = sources_[visit->source];
      if (window_full(&from.messages, group_.max_messages, now)) return broken(Limit::kMessages, *visit);
      from.messages.push_back(now);
    }
    ++visit->messages;
    visit->recipients = 0;
    visit->reverse_path.assign(argument);
  }
  if (stage == Stage::kRcpt) {
    if (group_.max_recipients != 0 && visit->recipients >= group_.max_recipients)
      return broken(Limit::kRecipients, *visit);
    if (group_.greylist.count() > 0) {
      const Verdict verdict = greylist(*visit, argument, now);
      if (verdict.kind != Verdict::Kind::kGoOn) return verdict;
    }
  }
  Verdict verdict = faults(*visit, stage, argument, now);
  if (stage == Stage::kRcpt && verdict.kind == Verdict::Kind::kGoOn) ++visit->recipients;
  return verdict;
}

void Site::took(Visit*, uint32_t recipients) {
  ++tally_.messages;
  tally_.recipients += recipients;
}

Verdict Site::greylist(const Visit& visit, std::string_view recipient, conf::Instant now) {
  if (first_seen_.size() >= kMaxGreylisted) first_seen_.clear();
  const uint64_t key = hash(hash(hash(seed_, visit.source), visit.reverse_path), recipient);
  const auto [entry, fresh] = first_seen_.try_emplace(key, now);
  if (!fresh && now - entry->second >= group_.greylist) return {};
  if (!fresh) return broken(Limit::kGreylist, visit);
  ++tally_.greylisted;
  ++tally_.refused;
  Verdict verdict;
  verdict.kind = Verdict::Kind::kReply;
  verdict.reply = limit_reply(group_.wording, Limit::kGreylist, visit.source);
  return verdict;
}

bool Site::hits(const Fault& fault, size_t index, std::string_view argument) {
  if (fault.share >= 1) return true;
  if (!fault.sticky) return random_.chance(fault.share);
  return conf::Random(hash(seed_ + index, argument)).chance(fault.share);
}

// Delays add up; the first fault that says something else ends the search.
Verdict Site::faults(const Visit& visit, Stage stage, std::string_view argument, conf::Instant now) {
  Verdict verdict;
  for (size_t i = 0; i < group_.faults.size(); ++i) {
    const Fault& fault = group_.faults[i];
    if (fault.at != stage || now - start_ < fault.after || now - start_ >= fault.until) continue;
    if (!hits(fault, i, argument)) continue;
    switch (fault.kind) {
      case FaultKind::kDelay:
        verdict.delay += fault.delay;
        ++tally_.delayed;
        continue;
      case FaultKind::kReply:
        verdict.kind = Verdict::Kind::kReply;
        verdict.reply = fault.reply;
        fill_in(&verdict.reply, "{recipient}", argument);
        fill_in(&verdict.reply, "{source}", visit.source);
        fill_in(&verdict.reply, "{host}", group_.hosts.empty() ? group_.name : group_.hosts.front());
        ++tally_.refused;
        return verdict;
      case FaultKind::kDrop:
        verdict.kind = Verdict::Kind::kDrop;
        ++tally_.dropped;
        return verdict;
    }
  }
  return verdict;
}

}  // namespace bench
