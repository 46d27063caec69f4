#include "relay/spool/refused_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "relay/spool/crc32c.h"
#include "relay/spool/record.h"

namespace relay::spool {

namespace {

constexpr size_t kEntry = 16;  // the id as in a key, its CRC-32C, four zeros
constexpr size_t kMostEntries = 8192;

std::string entry_of(conf::MessageId id) {
  std::string entry = id_key(id);
  const uint32_t check = crc32c(entry);
  for (int i = 0; i < 4; ++i) entry.push_back(static_cast<char>(check >> (8 * i)));
  entry.resize(kEntry);
  return entry;
}

}  // namespace

RefusedList::RefusedList(const std::string& folder) {
  fd_ = ::open((folder + "/refused").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ < 0) return;
  std::string all(kEntry * kMostEntries, '\0');
  const ssize_t got = ::pread(fd_, all.data(), all.size(), 0);
  for (size_t at = 0; got > 0 && at + kEntry <= static_cast<size_t>(got); at += kEntry) {
    const conf::MessageId id = parse_id_key(std::string_view(all).substr(at, 8)).value_or(0);
    if (id == 0 || all.compare(at, kEntry, entry_of(id)) != 0) break;
    left_.push_back(id);
  }
  count_ = left_.size();
  // Not posix_fallocate(): room that is only promised has no blocks on some file systems.
  if (got >= 0 && static_cast<size_t>(got) < all.size()) {
    const std::string zeros(all.size() - static_cast<size_t>(got), '\0');
    (void)!::pwrite(fd_, zeros.data(), zeros.size(), got);
  }
}

RefusedList::~RefusedList() {
  if (fd_ >= 0) ::close(fd_);
}

void RefusedList::add(const std::vector<conf::MessageId>& ids) {
  if (fd_ < 0) return;
  std::string entries;
  for (const conf::MessageId id : ids) {
    if (count_ + entries.size() / kEntry == kMostEntries) break;
    entries += entry_of(id);
  }
  if (entries.empty()) return;
  const ssize_t put = ::pwrite(fd_, entries.data(), entries.size(), static_cast<off_t>(count_ * kEntry));
  if (put > 0) count_ += static_cast<size_t>(put) / kEntry;
}

void RefusedList::clear() {
  if (fd_ < 0 || count_ == 0) return;
  const std::string zeros(count_ * kEntry, '\0');
  if (::pwrite(fd_, zeros.data(), zeros.size(), 0) == static_cast<ssize_t>(zeros.size())) count_ = 0;
}

}  // namespace relay::spool
