#include "relay/flow/peer_memory.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

constexpr size_t kLookedAt = 16;  // entries, to find one that is over
constexpr conf::Duration kInClear = std::chrono::minutes(10);

std::string key_of(std::string_view address, uint16_t port) {
  return std::string(address) + ' ' + std::to_string(port);
}

}  // namespace

bool PeerMemory::learn(const std::string& address, uint16_t port, const smtp::Lessons& lessons,
                       conf::Instant now) {
  if (!lessons.any()) return false;
  const std::string key = key_of(address, port);
  if (!known_.contains(key)) make_room(now);
  Entry& entry = known_[key];
  if (entry.until <= now) entry.lessons = {};
  const bool tls_fails = lessons.refused.has(smtp::Extension::kStartTls);
  const bool clear_is_new = tls_fails && entry.clear_until <= now;
  if (clear_is_new) entry.clear_until = now + std::min(keep_, kInClear);
  const smtp::Lessons before = entry.lessons;
  entry.lessons.refused.add(lessons.refused);
  entry.lessons.refused_auth.add(lessons.refused_auth);
  entry.lessons.refused.remove(smtp::Extension::kStartTls);
  if (lessons.wants_tls) {
    entry.lessons.wants_tls = true;
    entry.clear_until = {};
  }
  if (lessons.messages_per_connection != 0)
    entry.lessons.messages_per_connection = lessons.messages_per_connection;
  if (lessons.recipients_per_transaction != 0)
    entry.lessons.recipients_per_transaction = lessons.recipients_per_transaction;
  // The time of an entry is not made longer by what is known already, so that everything is tried anew.
  const bool is_new = !(before == entry.lessons);
  if (is_new) entry.until = now + keep_;
  return is_new || clear_is_new;
}

smtp::Lessons PeerMemory::about(std::string_view address, uint16_t port, conf::Instant now) const {
  if (known_.empty()) return {};
  const auto found = known_.find(key_of(address, port));
  if (found == known_.end()) return {};
  smtp::Lessons lessons;
  if (found->second.until > now) lessons = found->second.lessons;
  if (found->second.clear_until > now && !lessons.wants_tls) lessons.refused.add(smtp::Extension::kStartTls);
  return lessons;
}

// One that is over goes, or else any.
void PeerMemory::make_room(conf::Instant now) {
  if (known_.size() < most_) return;
  auto victim = known_.begin();
  size_t looked = 0;
  for (auto each = known_.begin(); each != known_.end() && looked < kLookedAt; ++each, ++looked) {
    if (std::max(each->second.until, each->second.clear_until) > now) continue;
    victim = each;
    break;
  }
  known_.erase(victim);
}

}  // namespace relay
