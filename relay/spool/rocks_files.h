// Files that wait for the disk instead of failing. When the disk is full or read-only, a write waits until it
// goes on, and continues exactly where it stopped. So the store never sees such an error, which it could not
// undo: its log would end in the middle of a record. Meanwhile new mail is refused, see SpoolHealth. Only
// rocks_spool uses this.
#pragma once

#include <rocksdb/env.h>

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
  // Called on the waiting thread, whenever a write has waited for a while (before it goes on waiting). Any
  // thread sets it; once this has returned, the one before is not called any more. Empty: nobody.
  void on_stall(std::function<void(const conf::Error&)> tell);

  // For the files: waits a little; false: stop trying. `waited` counts the calls for one write.
  bool wait(const std::string& file, int system_error, unsigned* waited);
  void moved_on();

 private:
  mutable std::mutex mutex_;
  std::optional<conf::Error> stalled_;
  std::mutex telling_;  // held while tell_ runs or is changed
  std::function<void(const conf::Error&)> tell_;
};

// An environment like rocksdb::Env::Default() whose written files are patient.
std::unique_ptr<rocksdb::Env> make_patient_env(std::shared_ptr<DiskPatience> patience);

}  // namespace relay::spool
