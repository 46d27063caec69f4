// What is known about writes of the spool that wait for the disk, or for descriptors. Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "conf/vocab/result.h"
#include "relay/spool/ballast.h"

namespace relay::spool {

class DiskPatience {
 public:
  // `ballast` may be null.
  explicit DiskPatience(std::shared_ptr<Ballast> ballast = nullptr) : ballast_(std::move(ballast)) {}

  // Why writes wait at present.
  std::optional<conf::Error> stalled() const;
  bool waiting() const { return waiting_; }
  // Called on the waiting thread, whenever a write has waited for a while (before it goes on waiting). Any
  // thread sets it; once this has returned, the one before is not called any more. Empty: nobody.
  void on_stall(std::function<void(const conf::Error&)> tell);
  // While the spool is opened nobody is served, and a start that hangs helps nobody: a wait of more than ten
  // seconds ends the process with status 1. The store could not take a failed write back.
  void opening(bool yes) { opening_ = yes; }

  // For the files. Whether it may be over by itself: the disk is full, read-only or does not write.
  static bool may_pass(int system_error);
  // The process, or the system, has no descriptor left.
  static bool out_of_descriptors();
  // Waits a little, or makes room. `waited` counts the calls for one write.
  void wait(const std::string& file, int system_error, unsigned* waited);
  void moved_on();

 private:
  mutable std::mutex mutex_;
  std::optional<conf::Error> stalled_;
  std::atomic<bool> waiting_ = false;
  std::atomic<bool> opening_ = false;
  const std::shared_ptr<Ballast> ballast_;
  std::mutex telling_;  // held while tell_ runs or is changed
  std::function<void(const conf::Error&)> tell_;
};

}  // namespace relay::spool
