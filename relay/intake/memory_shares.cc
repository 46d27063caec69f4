#include "relay/intake/memory_shares.h"

#include "conf/vocab/check.h"

namespace relay {

uint64_t MemoryShares::used_by(const std::string& client) const {
  const auto found = by_client_.find(client);
  return found == by_client_.end() ? 0 : found->second;
}

void MemoryShares::add(const std::string& client, uint64_t bytes) {
  used_ += bytes;
  by_client_[client] += bytes;
}

void MemoryShares::subtract(const std::string& client, uint64_t bytes) {
  const auto found = by_client_.find(client);
  CHECK(found != by_client_.end() && found->second >= bytes && used_ >= bytes);
  used_ -= bytes;
  found->second -= bytes;
  if (found->second == 0) by_client_.erase(found);
}

bool MemoryShares::grow(Account* account, uint64_t bytes) {
  if (bytes == 0) return true;
  const uint64_t share = account->stranger ? bounds_.per_stranger : bounds_.per_client;
  if (used_by(account->client) + bytes > share) return false;
  while (used_ + bytes > bounds_.total) {
    if (!make_room(*account, bytes)) return false;
  }
  add(account->client, bytes);
  account->bytes += bytes;
  holders_.insert(account);
  return true;
}

// The client that holds most, and of its connections the one that holds most.
bool MemoryShares::make_room(const Account& wanting, uint64_t bytes) {
  Account* biggest = nullptr;
  uint64_t most = 0;
  for (Account* each : holders_) {
    if (each == &wanting || !each->can_give_way()) continue;
    const uint64_t held = used_by(each->client);
    if (biggest != nullptr && (held < most || (held == most && each->bytes <= biggest->bytes))) continue;
    biggest = each;
    most = held;
  }
  if (biggest == nullptr) return false;
  const uint64_t would_hold = used_by(wanting.client) + bytes;
  const bool same = biggest->client == wanting.client;
  if (same ? biggest->bytes <= wanting.bytes + bytes : most <= would_hold) return false;
  const uint64_t before = used_;
  biggest->give_way();
  ++made_way_;
  return used_ < before;
}

void MemoryShares::shrink(Account* account, uint64_t bytes) {
  if (bytes == 0) return;
  CHECK(account->bytes >= bytes);
  account->bytes -= bytes;
  subtract(account->client, bytes);
  if (account->bytes == 0) holders_.erase(account);
}

void MemoryShares::lend(const std::string& client, uint64_t bytes) {
  if (bytes > 0) add(client, bytes);
}

void MemoryShares::give_back(const std::string& client, uint64_t bytes) {
  if (bytes > 0) subtract(client, bytes);
}

}  // namespace relay
