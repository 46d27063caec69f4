// Room that is kept for a full disk: a file that holds nothing. When another program has filled the disk, the
// file gives way piece by piece, so that what became of the mail can still be recorded and deliveries go on.
// New mail is refused from the first piece on, until there is room again. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace relay::spool {

class Ballast {
 public:
  static constexpr uint64_t kSize = 32 << 20;
  static constexpr uint64_t kPiece = 2 << 20;

  // The file in the folder `folder`, which exists; begins with what an earlier run left of it.
  Ballast(const std::string& folder, uint64_t reserve_bytes);
  // Gives a piece of room back to the disk. False: none is left.
  bool give_way();
  // Takes room back when the disk has it beyond the reserve, at the start and then now and then.
  void fill();
  // Something was given away, and the disk is still full.
  bool short_of_room() const { return given_; }
  // Whether the disk has so much room for us now, this file included.
  bool has_room(uint64_t bytes) const;

 private:
  const std::string path_;
  const uint64_t reserve_bytes_;
  mutable std::mutex mutex_;
  uint64_t size_ = 0;
  std::atomic<bool> given_ = false;
};

}  // namespace relay::spool
