// The replies that waiting mail got last, each text named once, without what is personal in it: a delivery
// holds two bytes of it, and people see how many wait with which. Bounded: beyond kMost texts only the code
// tells them apart. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relay::queue {

class LastReplies {
 public:
  static constexpr uint16_t kNone = 0;
  static constexpr size_t kMost = 4096;

  // `code` 0: no reply, `text` says what happened. kNone when nothing is given.
  uint16_t number_of(uint16_t code, std::string_view status, std::string_view text);
  // "450 4.7.1 <*> greylisted, come back in # seconds"; "" for kNone.
  const std::string& text(uint16_t number) const { return texts_[number]; }
  // One of the replies that became this text, the first, as it was; "" when they have little in common.
  const std::string& sample(uint16_t number) const { return samples_[number]; }
  size_t size() const { return texts_.size() - 1; }

 private:
  uint16_t intern(const std::string& text, std::string sample);

  std::vector<std::string> texts_{std::string()}, samples_{std::string()};  // by number
  std::unordered_map<std::string, uint16_t> numbers_;
};

// The reply in a line: code, status (once, although most texts begin with it) and text.
std::string reply_line(uint16_t code, std::string_view status, std::string_view text);

}  // namespace relay::queue
