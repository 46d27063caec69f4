// How far each write-ahead log and the MANIFEST were synced: what stands before that was promised, and must
// be there at the next start. A small file of fixed size, overwritten after each sync; a power cut may leave
// an older mark, which promises less. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace relay::spool {

enum class Marked : uint8_t { kLog = 0, kManifest = 'M' };  // as in the file

class SyncMarks {
 public:
  // The file in `folder`, which exists.
  explicit SyncMarks(const std::string& folder);
  ~SyncMarks();
  SyncMarks(const SyncMarks&) = delete;
  SyncMarks& operator=(const SyncMarks&) = delete;

  // What an earlier run left: octets by the number of the log.
  const std::map<uint64_t, uint64_t>& left() const { return left_; }
  // Marks were there that cannot be read.
  bool damaged() const { return damaged_; }
  // Of the MANIFEST with this number; nothing when it has no mark.
  std::optional<uint64_t> left_of_manifest(uint64_t number) const;
  // The numbers are those of the files; RocksDB gives none twice. The mark of a MANIFEST is itself on disk
  // when this returns.
  void synced(Marked kind, uint64_t number, uint64_t octets);
  // RocksDB needs it no more. Its mark is off the disk when this returns: called before the file goes, or it
  // would be missed.
  void removed(uint64_t number);
  void forget();  // all of them; on disk when this returns

 private:
  void put(size_t slot, const std::string& content);  // of this slot, and of those behind it

  std::mutex mutex_;
  int fd_ = -1;
  bool damaged_ = false;
  std::map<uint64_t, uint64_t> left_, left_manifests_;
  std::map<uint64_t, size_t> slots_;  // by number
};

}  // namespace relay::spool
