#include "conf/disk_call.h"

#include <algorithm>

#include "conf/standard_error.h"
#include "conf/vocab/calendar.h"
#include "conf/vocab/time.h"

namespace conf {

namespace {

std::mutex calls_mutex;
DiskCall* calls = nullptr;  // the newest one first

std::string seconds_text(std::chrono::steady_clock::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

DiskCall::DiskCall(std::string_view doing, const std::string& place) : doing_(doing), place_(place) {
  const std::lock_guard lock(calls_mutex);
  next_ = calls;
  if (next_ != nullptr) next_->previous_ = this;
  calls = this;
}

DiskCall::~DiskCall() {
  const std::lock_guard lock(calls_mutex);
  (previous_ == nullptr ? calls : previous_->next_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (told_)
    say("the disk goes on: " + std::string(doing_) + ' ' + place_ + " took " +
        seconds_text(Clock::now() - began_));
}

void DiskCall::tell(Clock::time_point now) {
  told_ = true;
  const auto took = std::chrono::duration_cast<Duration>(now - began_);
  say("the disk does not answer: " + std::string(doing_) + ' ' + place_ + " has taken " +
      seconds_text(now - began_) + " so far, since " + mail_date(SystemClock().wall() - took) +
      "; what needs it waits. See the kernel's log (dmesg) and the health of that disk or of its server; "
      "when it answers again, all goes on");
}

DiskWatcher::DiskWatcher(std::chrono::milliseconds patience)
    : patience_(patience), thread_([this] { run(); }) {}

DiskWatcher::~DiskWatcher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  end_.notify_all();
  thread_.join();
}

void DiskWatcher::run() {
  const auto period = std::min<std::chrono::milliseconds>(std::chrono::seconds(1), patience_ / 4);
  std::unique_lock lock(mutex_);
  while (!end_.wait_for(lock, period, [this] { return ending_; })) {
    const std::lock_guard registry(calls_mutex);
    const auto now = DiskCall::Clock::now();
    for (DiskCall* each = calls; each != nullptr; each = each->next_) {
      if (!each->told_ && now - each->began_ >= patience_) each->tell(now);
    }
  }
}

}  // namespace conf
