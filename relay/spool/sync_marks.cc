#include "relay/spool/sync_marks.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>

#include "relay/spool/crc32c.h"
#include "relay/spool/record.h"

namespace relay::spool {

namespace {

constexpr size_t kSlot = 24;   // two numbers as in keys, their CRC-32C, four zeros
constexpr size_t kSlots = 64;  // far more logs than there ever are at once

std::string slot_of(uint64_t log, uint64_t octets) {
  std::string slot = id_key(log) + id_key(octets);
  const uint32_t check = crc32c(slot);
  for (int i = 0; i < 4; ++i) slot.push_back(static_cast<char>(check >> (8 * i)));
  slot.resize(kSlot);
  return slot;
}

}  // namespace

SyncMarks::SyncMarks(const std::string& folder) {
  fd_ = ::open((folder + "/promised").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ < 0) return;
  std::string all(kSlot * kSlots, '\0');
  const ssize_t got = ::pread(fd_, all.data(), all.size(), 0);
  if (got >= 0 && static_cast<size_t>(got) < all.size())  // its room is taken now, not on a full disk
    (void)!::pwrite(fd_, all.data() + got, all.size() - static_cast<size_t>(got), got);
  for (size_t i = 0; i < kSlots; ++i) {
    const std::string_view slot = std::string_view(all).substr(i * kSlot, kSlot);
    const uint64_t log = parse_id_key(slot.substr(0, 8)).value_or(0);
    const uint64_t octets = parse_id_key(slot.substr(8, 8)).value_or(0);
    if (log == 0 || slot != slot_of(log, octets)) continue;
    left_[log] = octets;
    slots_[log] = i;
  }
}

SyncMarks::~SyncMarks() {
  if (fd_ >= 0) ::close(fd_);
}

void SyncMarks::put(size_t slot, uint64_t log, uint64_t octets) {
  const std::string content = log == 0 ? std::string(kSlot, '\0') : slot_of(log, octets);
  if (fd_ >= 0) (void)!::pwrite(fd_, content.data(), content.size(), static_cast<off_t>(slot * kSlot));
}

void SyncMarks::synced(uint64_t log, uint64_t octets) {
  const std::lock_guard lock(mutex_);
  const auto known = slots_.find(log);
  if (known != slots_.end()) return put(known->second, log, octets);
  std::set<size_t> used;
  for (const auto& [each, slot] : slots_) used.insert(slot);
  size_t slot = 0;
  while (used.contains(slot)) ++slot;
  if (slot == kSlots) return;
  slots_[log] = slot;
  put(slot, log, octets);
}

void SyncMarks::removed(uint64_t log) {
  const std::lock_guard lock(mutex_);
  const auto known = slots_.find(log);
  if (known == slots_.end()) return;
  put(known->second, 0, 0);
  slots_.erase(known);
}

}  // namespace relay::spool
