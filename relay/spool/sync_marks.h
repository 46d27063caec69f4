// How far each write-ahead log was synced: what stands before that was promised, and must be there at the
// next start. A small file of fixed size, overwritten after each sync; a power cut may leave an older mark,
// which promises less. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace relay::spool {

class SyncMarks {
 public:
  // The file in `folder`, which exists.
  explicit SyncMarks(const std::string& folder);
  ~SyncMarks();
  SyncMarks(const SyncMarks&) = delete;
  SyncMarks& operator=(const SyncMarks&) = delete;

  // What an earlier run left: octets by the number of the log.
  const std::map<uint64_t, uint64_t>& left() const { return left_; }
  void synced(uint64_t log, uint64_t octets);
  void removed(uint64_t log);  // RocksDB needs it no more

 private:
  void put(size_t slot, uint64_t log, uint64_t octets);

  std::mutex mutex_;
  int fd_ = -1;
  std::map<uint64_t, uint64_t> left_;
  std::map<uint64_t, size_t> slots_;  // by log
};

}  // namespace relay::spool
