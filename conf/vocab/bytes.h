// Bytes: an owned, immutable, reference-counted run of bytes (a message body, shared by all its deliveries).
// Borrowed bytes are std::string_view. Copying a Bytes costs one atomic increment; it may cross threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace conf {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string content) : content_(std::make_shared<const std::string>(std::move(content))) {}

  std::string_view view() const { return content_ ? std::string_view(*content_) : std::string_view(); }
  size_t size() const { return content_ ? content_->size() : 0; }
  bool has_value() const { return content_ != nullptr; }  // false: not in memory (an empty body has a value)
  void reset() { content_.reset(); }

 private:
  std::shared_ptr<const std::string> content_;
};

}  // namespace conf
