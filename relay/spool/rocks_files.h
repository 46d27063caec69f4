// Files that wait for the disk instead of failing. When the disk is full or read-only, a write waits until it
// goes on, and continues exactly where it stopped. So the store never sees such an error, which it could not
// undo: its log would end in the middle of a record. Meanwhile new mail is refused, see SpoolHealth. Only
// rocks_spool uses this.
#pragma once

#include <rocksdb/env.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "conf/vocab/result.h"

namespace relay::spool {

// What is known about waiting writes. Any thread.
class DiskPatience {
 public:
  // Why writes wait at present.
  std::optional<conf::Error> stalled() const;
  // Called on the waiting thread, once, when a write has waited for a while (before it goes on waiting).
  void on_stall(std::function<void(const conf::Error&)> tell) { tell_ = std::move(tell); }
  // From now on writes fail instead of waiting: for the end of the process.
  void give_up() { giving_up_ = true; }

  // For the files: waits a little; false: stop trying. `waited` counts the calls for one write.
  bool wait(const std::string& file, int system_error, unsigned* waited);
  void moved_on();

 private:
  mutable std::mutex mutex_;
  std::optional<conf::Error> stalled_;
  std::function<void(const conf::Error&)> tell_;
  std::atomic<bool> giving_up_ = false;
};

// An environment like rocksdb::Env::Default() whose written files are patient.
std::unique_ptr<rocksdb::Env> make_patient_env(std::shared_ptr<DiskPatience> patience);

}  // namespace relay::spool
