#include "conf/vocab/secret.h"

#include <cstring>
#include <utility>

namespace conf {

Secret::Secret(std::string_view text) : octets_(new char[text.size() + 1]), size_(text.size()) {
  text.copy(octets_.get(), size_);
  octets_[size_] = '\0';
}

Secret::Secret(Secret&& other) noexcept
    : octets_(std::move(other.octets_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  octets_ = std::move(other.octets_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void Secret::wipe() {
  if (octets_ != nullptr) explicit_bzero(octets_.get(), size_);
}

}  // namespace conf
