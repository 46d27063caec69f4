#include "relay/tls/secret.h"

#include <utility>

#include "relay/tls/keyed_digest.h"

namespace relay::tls {

Secret::Secret(std::string_view text) : octets_(new char[text.size() + 1]), size_(text.size()) {
  text.copy(octets_.get(), size_);
  octets_[size_] = '\0';
}

Secret Secret::taken_from(std::string* text) {
  Secret secret(*text);
  cleanse(text->data(), text->size());
  text->clear();
  return secret;
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
  if (octets_ != nullptr) cleanse(octets_.get(), size_);
}

}  // namespace relay::tls
