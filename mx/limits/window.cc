#include "mx/limits/window.h"

#include <algorithm>

namespace mx {

namespace {

constexpr uint64_t kCreditUnits = 1'000'000;  // of a saved credit, which is shifted to 0..2
// Sums of fractions that make a whole on paper: five times 1/5 shall be a step.
constexpr float kRounding = 1e-4F;

}  // namespace

void Window::set(uint32_t floor, uint32_t limit) {
  limit_ = std::max(limit, 1U);
  floor_ = std::clamp(floor, 1U, limit_);
  window_ = std::clamp(window_, floor_, limit_);
}

void Window::reset() {
  window_ = std::clamp(kBegin, floor_, limit_);
  ceiling_ = UINT32_MAX;
  credit_ = 0;
  opening_ = true;
  cut_ = conf::Instant::min();
}

bool Window::as_new() const {
  return opening_ && window_ == std::clamp(kBegin, floor_, limit_) && credit_ == 0;
}

void Window::feedback(double credit) {
  credit_ += static_cast<float>(credit);
  if (credit_ >= 1 - kRounding) {
    credit_ = 0;
    window_ = std::min(window_ + 1, limit_);
  } else if (credit_ <= -1 + kRounding) {
    credit_ = 0;
    window_ = std::max(window_ - 1, floor_);
  }
}

void Window::throttled(conf::Instant now) {
  if (cut_ != conf::Instant::min() && now - cut_ < kOneEvent) return;
  cut_ = now;
  opening_ = false;
  credit_ = 0;
  const uint32_t less = static_cast<uint32_t>(uint64_t{window_} * 3 / 4);
  window_ = std::max(std::min(less, window_ - 1), floor_);
}

void Window::cap(uint32_t most) {
  window_ = std::max(std::min(window_, most), floor_);
  ceiling_ = std::max(most, floor_);
  opening_ = false;
  credit_ = 0;
}

void Window::at_most(const Window& other) {
  if (other.as_new()) return;
  const bool begins = as_new();
  if (begins || other.window_ < window_) {
    window_ = std::clamp(other.window_, floor_, limit_);
    credit_ = other.credit_;
  }
  opening_ = opening_ && other.opening_;
  cut_ = std::max(cut_, other.cut_);
}

void Window::save(SavedWriter* out) const {
  out->number(window_);
  out->number(static_cast<uint64_t>((std::clamp(credit_, -1.0F, 1.0F) + 1) * kCreditUnits));
}

void Window::restore(SavedReader* in) {
  const uint32_t window = in->number32();
  const uint64_t credit = in->number(2 * kCreditUnits);
  if (!in->ok()) return;
  window_ = std::clamp(window, floor_, limit_);
  credit_ = static_cast<float>(credit) / kCreditUnits - 1;
  opening_ = false;  // how the window came to be is not known
}

}  // namespace mx
