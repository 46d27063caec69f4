#include "bounce/ledger/known_addresses.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <vector>

#include "conf/vocab/check.h"

namespace bounce {

namespace {

constexpr uint64_t kMagic = 0x50534b4e4f574e31;  // "PSKNOWN1"

uint16_t tag(uint64_t key) {
  const auto found = static_cast<uint16_t>(key >> 48);
  return found == 0 ? uint16_t{1} : found;
}

struct FileHeader {
  uint64_t magic, buckets, present;
  int64_t turned;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

conf::Error broken(const std::string& path, const char* what) {
  return {conf::ErrorCode::kIo, path + ": " + what};
}

}  // namespace

KnownAddresses::KnownAddresses(uint64_t addresses, conf::Duration lifetime)
    : buckets_(std::bit_ceil((addresses + kBucket - 1) / kBucket)),
      half_life_(lifetime / 2),
      slots_{Slots(buckets_ * kBucket), Slots(buckets_ * kBucket)} {}

// Zeroed by the system page by page, when touched.
KnownAddresses::Slots::Slots(size_t count) : octets_(count * sizeof(std::atomic<uint16_t>)) {
  void* memory = ::mmap(nullptr, octets_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  slots_ = static_cast<std::atomic<uint16_t>*>(memory);
}

KnownAddresses::Slots::~Slots() { ::munmap(slots_, octets_); }

void KnownAddresses::Slots::forget() { CHECK(::madvise(slots_, octets_, MADV_DONTNEED) == 0); }

std::atomic<uint16_t>* KnownAddresses::bucket(size_t generation, uint64_t key, bool second) const {
  const uint64_t place = second ? (key * 0x9e3779b97f4a7c15ULL) >> 20 : key;
  return &slots_[generation][(place & (buckets_ - 1)) * kBucket];
}

// Slots are filled from the first one on, and the second bucket when the first is full: nothing stands behind
// an empty slot.
bool KnownAddresses::has(size_t generation, uint64_t key) const {
  if (!used_[generation].load(std::memory_order_relaxed)) return false;  // its pages need not exist
  const uint16_t wanted = tag(key);
  for (const bool second : {false, true}) {
    const std::atomic<uint16_t>* slots = bucket(generation, key, second);
    for (size_t i = 0; i < kBucket; ++i) {
      const uint16_t stands = slots[i].load(std::memory_order_relaxed);
      if (stands == wanted) return true;
      if (stands == 0) return false;
    }
  }
  return false;
}

bool KnownAddresses::knows(uint64_t key) const { return has(0, key) || has(1, key); }

void KnownAddresses::add(uint64_t key, conf::WallTime now) {
  const int64_t turned = turned_.load(std::memory_order_relaxed);
  if (turned == 0) turned_.store(conf::unix_micros(now), std::memory_order_relaxed);
  size_t present = present_.load(std::memory_order_relaxed);
  if (turned != 0 && conf::unix_micros(now) - turned > half_life_.count()) {
    present = 1 - present;
    used_[present].store(false, std::memory_order_relaxed);
    slots_[present].forget();
    present_.store(present, std::memory_order_relaxed);
    turned_.store(conf::unix_micros(now), std::memory_order_relaxed);
  }
  // A page that is first written costs one fault. One that is first read costs a second one at the write, and
  // that stops the other processors.
  bucket(present, key, false)->fetch_or(0, std::memory_order_relaxed);
  if (has(present, key)) return;
  used_[present].store(true, std::memory_order_relaxed);
  for (const bool second : {false, true}) {
    std::atomic<uint16_t>* slots = bucket(present, key, second);
    for (size_t i = 0; i < kBucket; ++i) {
      if (slots[i].load(std::memory_order_relaxed) != 0) continue;
      slots[i].store(tag(key), std::memory_order_relaxed);
      return;
    }
  }
  bucket(present, key, false)[(key >> 40) % kBucket].store(tag(key), std::memory_order_relaxed);
}

conf::Status KnownAddresses::save(const std::string& path) const {
  const std::string beside = path + ".new";
  const File file(std::fopen(beside.c_str(), "wb"));
  if (file == nullptr) return broken(beside, "cannot be written");
  const FileHeader header{kMagic, buckets_, present_.load(std::memory_order_relaxed),
                          turned_.load(std::memory_order_relaxed)};
  bool good = std::fwrite(&header, sizeof header, 1, file.get()) == 1;
  std::vector<uint16_t> chunk(1 << 16);
  for (size_t generation = 0; generation < 2; ++generation) {
    const Slots& slots = slots_[generation];
    const bool used = used_[generation].load(std::memory_order_relaxed);
    if (!used) std::fill(chunk.begin(), chunk.end(), uint16_t{0});
    for (size_t at = 0; good && at < buckets_ * kBucket; at += chunk.size()) {
      const size_t count = std::min(chunk.size(), buckets_ * kBucket - at);
      uint16_t any = 0;
      for (size_t i = 0; used && i < count; ++i) {
        chunk[i] = slots[at + i].load(std::memory_order_relaxed);
        any |= chunk[i];
      }
      // A hole where there is nothing: a small sender's file takes little room.
      const bool last = generation == 1 && at + count == buckets_ * kBucket;
      good = any == 0 && !last
                 ? std::fseek(file.get(), static_cast<long>(count * sizeof(uint16_t)), SEEK_CUR) == 0
                 : std::fwrite(chunk.data(), sizeof(uint16_t), count, file.get()) == count;
    }
  }
  if (!good || std::fflush(file.get()) != 0) {
    std::remove(beside.c_str());
    return broken(beside, "could not be written whole");
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) return broken(path, "cannot be replaced");
  return conf::success();
}

conf::Status KnownAddresses::load(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return conf::Error{conf::ErrorCode::kNotFound, path + ": cannot be read"};
  FileHeader header{};
  if (std::fread(&header, sizeof header, 1, file.get()) != 1 || header.magic != kMagic ||
      header.buckets != buckets_ || header.present > 1)
    return broken(path, "is of another size or shape");
  std::vector<uint16_t> chunk(1 << 16);
  for (size_t generation = 0; generation < 2; ++generation) {
    for (size_t at = 0; at < buckets_ * kBucket; at += chunk.size()) {
      const size_t count = std::min(chunk.size(), buckets_ * kBucket - at);
      if (std::fread(chunk.data(), sizeof(uint16_t), count, file.get()) != count)
        return broken(path, "ends too early");
      for (size_t i = 0; i < count; ++i) {
        if (chunk[i] == 0) continue;
        slots_[generation][at + i].store(chunk[i], std::memory_order_relaxed);
        used_[generation].store(true, std::memory_order_relaxed);
      }
    }
  }
  present_.store(header.present, std::memory_order_relaxed);
  turned_.store(header.turned, std::memory_order_relaxed);
  return conf::success();
}

}  // namespace bounce
