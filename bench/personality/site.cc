#include "bench/personality/site.h"

#include <algorithm>
#include <utility>

namespace bench {
namespace {

constexpr size_t kLateSeed = 1000;            // keeps the draws of late rules apart from those of faults
constexpr size_t kMaxGreylisted = 1'000'000;  // 32 MB; beyond it the table starts again

// FNV-1a: the same in every run and on every machine, unlike std::hash.
uint64_t hash(uint64_t seed, std::string_view text) {
  uint64_t value = 0xcbf29ce484222325ULL ^ (seed * 0x9e3779b97f4a7c15ULL);
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return value;
}

}  // namespace

Site::Site(const Group& group, uint64_t seed, conf::Instant start)
    : group_(group), random_(hash(seed, group.name)), seed_(seed), start_(start) {}

Verdict Site::broken(Limit limit, const Visit& visit) {
  ++tally_.broken[static_cast<size_t>(limit)];
  ++tally_.refused;
  Verdict verdict;
  verdict.kind = Verdict::Kind::kReply;
  verdict.reply = limit_reply(group_.wording, limit, visit.source, visit.host);
  return verdict;
}

// Any window: what happened at `now - window` has just left it.
bool Site::window_full(std::deque<conf::Instant>* times, uint32_t most, conf::Instant now) const {
  while (!times->empty() && times->front() + group_.window <= now) times->pop_front();
  return times->size() >= most;
}

void Site::introduce(Visit* visit, std::string source, std::string_view address) const {
  visit->source = std::move(source);
  const auto known = std::find(group_.addresses.begin(), group_.addresses.end(), address);
  const size_t host = known == group_.addresses.end() ? 0 : known - group_.addresses.begin();
  visit->host = host < group_.hosts.size() ? group_.hosts[host] : group_.name;
  visit->key = visit->source;
  if (group_.per == Per::kAddress) visit->key.append(" ").append(address);
}

Verdict Site::arrive(Visit* visit, conf::Instant now) {
  ++tally_.connections;
  tally_.max_open = std::max(tally_.max_open, ++tally_.open);
  visit->counted = true;
  const bool full = is_full(*visit);
  Source& from = sources_[visit->key];
  ++from.open;
  if (full) return broken(Limit::kConnections, *visit);
  tally_.max_per_source = std::max(tally_.max_per_source, from.open);
  if (group_.max_new_connections != 0) {
    if (window_full(&from.connections, group_.max_new_connections, now))
      return broken(Limit::kNewConnections, *visit);
    from.connections.push_back(now);
  }
  return faults(*visit, Stage::kConnect, visit->source, now);
}

bool Site::is_full(const Visit& visit) const {
  const auto from = sources_.find(visit.key);
  return group_.max_connections != 0 && from != sources_.end() && from->second.open >= group_.max_connections;
}

void Site::leave(Visit* visit) {
  if (!visit->counted) return;
  visit->counted = false;
  --tally_.open;
  --sources_[visit->key].open;
}

Verdict Site::judge(Visit* visit, Stage stage, std::string_view argument, conf::Instant now) {
  if (stage == Stage::kMail) {
    if (group_.max_messages_per_connection != 0 && visit->messages >= group_.max_messages_per_connection)
      return broken(Limit::kMessagesPerConnection, *visit);
    if (group_.max_messages != 0) {
      Source& from = sources_[visit->key];
      if (window_full(&from.messages, group_.max_messages, now)) return broken(Limit::kMessages, *visit);
      from.messages.push_back(now);
    }
    ++visit->messages;
    visit->recipients = 0;
    visit->over_recipients = false;
    visit->reverse_path.assign(argument);
  }
  if (stage == Stage::kRcpt) {
    if (group_.max_recipients != 0 && visit->recipients >= group_.max_recipients) {
      Verdict verdict = broken(Limit::kRecipients, *visit);
      if (std::exchange(visit->over_recipients, true))
        --tally_.broken[static_cast<size_t>(Limit::kRecipients)];
      return verdict;
    }
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
  ++(fresh ? tally_.greylisted : tally_.early);
  ++tally_.refused;
  Verdict verdict;
  verdict.kind = Verdict::Kind::kReply;
  verdict.reply = limit_reply(group_.wording, Limit::kGreylist, visit.source, visit.host);
  return verdict;
}

bool Site::hits(double share, bool sticky, size_t index, std::string_view argument) {
  if (share >= 1) return true;
  if (!sticky) return random_.chance(share);
  return conf::Random(hash(seed_ + index, argument)).chance(share);
}

bool Site::comes_back(const Visit& visit, std::string_view recipient, LateReport* report) {
  if (visit.reverse_path.empty()) return false;  // RFC 5321 §4.5.5
  for (size_t i = 0; i < group_.late.size(); ++i) {
    const LateRule& rule = group_.late[i];
    if (!hits(rule.share, rule.sticky, kLateSeed + i, recipient)) continue;
    report->kind = rule.kind;
    const auto spread = static_cast<uint64_t>(rule.spread.count());
    report->after = rule.after + conf::Duration(static_cast<int64_t>(random_.below(spread)));
    report->reply = rule.reply;
    fill_in(&report->reply, "{recipient}", recipient);
    fill_in(&report->reply, "{source}", visit.source);
    fill_in(&report->reply, "{host}", visit.host);
    report->reverse_path = visit.reverse_path;
    report->recipient.assign(recipient);
    report->source = visit.source;
    report->host = visit.host;
    ++tally_.late;
    return true;
  }
  return false;
}

// Delays add up; the first fault that says something else ends the search.
Verdict Site::faults(const Visit& visit, Stage stage, std::string_view argument, conf::Instant now) {
  Verdict verdict;
  for (size_t i = 0; i < group_.faults.size(); ++i) {
    const Fault& fault = group_.faults[i];
    if (fault.at != stage || now - start_ < fault.after || now - start_ >= fault.until) continue;
    if (fault.in_tls && !visit.secret) continue;
    if (!hits(fault.share, fault.sticky, i, argument)) continue;
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
        fill_in(&verdict.reply, "{host}", visit.host);
        ++tally_.refused;
        return verdict;
      case FaultKind::kHandshake:
        verdict.handshake = fault.handshake;
        ++tally_.bad_handshakes;
        return verdict;
      case FaultKind::kDrop:
        verdict.kind = Verdict::Kind::kDrop;
        ++tally_.dropped;
        return verdict;
      case FaultKind::kLose:
        verdict.kind = Verdict::Kind::kLose;
        ++tally_.ill_mannered;
        return verdict;
      case FaultKind::kEndless:
        verdict.kind = Verdict::Kind::kEndless;
        ++tally_.ill_mannered;
        return verdict;
      case FaultKind::kTwice:
      case FaultKind::kEarly:
      case FaultKind::kLeave:
        verdict.manner = fault.kind;
        ++tally_.ill_mannered;
        return verdict;
    }
  }
  return verdict;
}

void SiteTally::add(const SiteTally& other) {
  connections += other.connections;
  messages += other.messages;
  recipients += other.recipients;
  refused += other.refused;
  dropped += other.dropped;
  delayed += other.delayed;
  for (size_t i = 0; i < kLimits; ++i) broken[i] += other.broken[i];
  greylisted += other.greylisted;
  early += other.early;
  bad_handshakes += other.bad_handshakes;
  ill_mannered += other.ill_mannered;
  late += other.late;
  open += other.open;
}

}  // namespace bench
