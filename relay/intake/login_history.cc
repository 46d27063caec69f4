#include "relay/intake/login_history.h"

#include <cstring>

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
constexpr conf::Duration kVerifiedFor = 5min;
constexpr conf::Duration kKnownFor = 24h;
constexpr conf::Duration kWrongFor = 10min;
constexpr size_t kKept = 50'000;  // of each table
constexpr uint32_t kTrust = 10;   // how much more a known login may be wrong

std::string login_key(const std::string& client, const std::string& user) { return client + '\n' + user; }
std::string client_only(const std::string& client) { return client + '\n'; }
std::string user_only(const std::string& user) { return '\n' + user; }

// Makes room for one more: what is over goes, or any when nothing is.
template <typename Table, typename IsOver>
void make_room(Table* table, IsOver is_over) {
  if (table->size() < kKept) return;
  for (auto each = table->begin(); each != table->end();)
    each = is_over(*each) ? table->erase(each) : std::next(each);
  while (table->size() >= kKept - kKept / 10) table->erase(table->begin());
}

}  // namespace

size_t LoginHistory::DigestHash::operator()(const Digest& digest) const {
  size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

bool LoginHistory::verified(const Digest& digest, conf::Instant now) {
  const auto found = verified_.find(digest);
  if (found == verified_.end()) return false;
  if (now < found->second) return true;
  verified_.erase(found);
  return false;
}

uint32_t LoginHistory::wrong_of(const std::string& key, conf::Instant now) const {
  const auto found = wrong_.find(key);
  return found == wrong_.end() || found->second.until <= now ? 0 : found->second.count;
}

LoginHistory::Look LoginHistory::look(const std::string& client, const std::string& user, conf::Instant now) {
  const std::string login = login_key(client, user);
  const auto found = known_.find(login);
  const bool known = found != known_.end() && now < found->second;
  const uint32_t of_login = wrong_of(login, now);
  if (of_login >= bounds_.of_login * (known ? kTrust : 1)) return Look::kNone;
  if (known) return Look::kFree;
  if (wrong_of(client_only(client), now) >= bounds_.of_client) return Look::kNone;
  if (wrong_of(user_only(user), now) < bounds_.of_user) return Look::kFree;
  return of_login == 0 ? Look::kOnce : Look::kNone;
}

void LoginHistory::good(const Digest& digest, const std::string& client, const std::string& user,
                        conf::Instant now) {
  const auto is_over = [now](const auto& each) { return each.second <= now; };
  make_room(&verified_, is_over);
  verified_[digest] = now + kVerifiedFor;
  make_room(&known_, is_over);
  known_[login_key(client, user)] = now + kKnownFor;
}

void LoginHistory::wrong(const std::string& client, const std::string& user, conf::Instant now) {
  make_room(&wrong_, [now](const auto& each) { return each.second.until <= now; });
  add_wrong(login_key(client, user), now);
  add_wrong(client_only(client), now);
  add_wrong(user_only(user), now);
}

void LoginHistory::add_wrong(const std::string& key, conf::Instant now) {
  Wrong& entry = wrong_[key];
  if (entry.until <= now) entry = {0, now + kWrongFor};
  ++entry.count;
}

}  // namespace relay
