#include "bench/load/plan.h"

namespace bench::load {

Plan::Plan(const LoadOptions& options) : options_(options), planned_(options.planned()) {}

void Plan::begin(int64_t start_us) {
  if (options_.rate > 0) pacer_.emplace(options_.rate, options_.poisson, options_.seed, start_us);
  if (options_.duration_s > 0) end_us_ = start_us + int64_t{options_.duration_s} * 1'000'000;
}

bool Plan::over_locked(int64_t now_us) const {
  // In an open loop what was due before the end is still sent, however late.
  return handed_out_ >= planned_ || (pacer_ ? pacer_->due_us() : now_us) >= end_us_;
}

bool Plan::take(int64_t now_us, Message* message) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (over_locked(now_us)) return false;
  message->due_us = now_us;
  if (pacer_) {
    if (pacer_->due_us() > now_us) return false;
    message->due_us = pacer_->due_us();
    pacer_->advance();
  }
  message->number = ++handed_out_;
  return true;
}

uint64_t Plan::give_up_due(int64_t now_us) {
  uint64_t count = 0;
  for (Message message; pacer_ && take(now_us, &message);) ++count;
  return count;
}

std::optional<int64_t> Plan::next_due() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!pacer_ || over_locked(pacer_->due_us())) return std::nullopt;
  return pacer_->due_us();
}

bool Plan::over(int64_t now_us) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return over_locked(now_us);
}

uint64_t Plan::handed_out() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return handed_out_;
}

}  // namespace bench::load
