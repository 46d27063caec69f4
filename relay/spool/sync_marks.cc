#include "relay/spool/sync_marks.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>

#include "relay/spool/crc32c.h"
#include "relay/spool/record.h"

namespace relay::spool {

namespace {

constexpr size_t kSlot = 24;  // two numbers as in keys, their CRC-32C, the kind, three zeros
constexpr size_t kKindAt = 20;
constexpr size_t kSlots = 64;  // far more files than there ever are at once

std::string slot_of(Marked kind, uint64_t number, uint64_t octets) {
  std::string slot = id_key(number) + id_key(octets);
  const uint32_t check = crc32c(slot);
  for (int i = 0; i < 4; ++i) slot.push_back(static_cast<char>(check >> (8 * i)));
  slot.resize(kSlot);
  slot[kKindAt] = static_cast<char>(kind);
  return slot;
}

}  // namespace

SyncMarks::SyncMarks(const std::string& folder) {
  fd_ = ::open((folder + "/promised").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ < 0) return;
  std::string all(kSlot * kSlots, '\0');
  const ssize_t got = ::pread(fd_, all.data(), all.size(), 0);
  damaged_ = got > 0 && static_cast<size_t>(got) < all.size();
  if (got >= 0 && static_cast<size_t>(got) < all.size())  // its room is taken now, not on a full disk
    (void)!::pwrite(fd_, all.data() + got, all.size() - static_cast<size_t>(got), got);
  for (size_t i = 0; i < kSlots; ++i) {
    const std::string_view slot = std::string_view(all).substr(i * kSlot, kSlot);
    const uint64_t number = parse_id_key(slot.substr(0, 8)).value_or(0);
    const uint64_t octets = parse_id_key(slot.substr(8, 8)).value_or(0);
    const Marked kind = static_cast<Marked>(slot[kKindAt]);
    if (slot == std::string(kSlot, '\0')) continue;
    if (number == 0 || slot != slot_of(kind, number, octets)) {
      damaged_ = true;
      continue;
    }
    if (kind == Marked::kLog) left_[number] = octets;
    if (kind == Marked::kManifest) left_manifests_[number] = octets;
    slots_[number] = i;
  }
}

SyncMarks::~SyncMarks() {
  if (fd_ >= 0) ::close(fd_);
}

void SyncMarks::put(size_t slot, const std::string& content) {
  if (fd_ >= 0) (void)!::pwrite(fd_, content.data(), content.size(), static_cast<off_t>(slot * kSlot));
}

std::optional<uint64_t> SyncMarks::left_of_manifest(uint64_t number) const {
  const auto known = left_manifests_.find(number);
  return known == left_manifests_.end() ? std::nullopt : std::optional(known->second);
}

void SyncMarks::synced(Marked kind, uint64_t number, uint64_t octets) {
  const std::lock_guard lock(mutex_);
  auto known = slots_.find(number);
  if (known == slots_.end()) {
    std::set<size_t> used;
    for (const auto& [each, slot] : slots_) used.insert(slot);
    size_t slot = 0;
    while (used.contains(slot)) ++slot;
    if (slot == kSlots) return;
    known = slots_.emplace(number, slot).first;
  }
  put(known->second, slot_of(kind, number, octets));
  if (kind == Marked::kManifest && fd_ >= 0) (void)::fdatasync(fd_);
}

void SyncMarks::removed(uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto known = slots_.find(number);
  if (known == slots_.end()) return;
  put(known->second, std::string(kSlot, '\0'));
  if (fd_ >= 0) (void)::fdatasync(fd_);
  slots_.erase(known);
}

void SyncMarks::forget() {
  const std::lock_guard lock(mutex_);
  put(0, std::string(kSlot * kSlots, '\0'));
  if (fd_ >= 0) (void)::fdatasync(fd_);
  left_.clear();
  left_manifests_.clear();
  slots_.clear();
}

}  // namespace relay::spool
