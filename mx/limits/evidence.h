// The latest refusals of a destination, at most three of at most 200 octets: what people are shown when it is
// blocked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/utf8.h"
#include "mx/limits/saved.h"

namespace mx {

class Evidence {
 public:
  static constexpr size_t kReplies = 3;
  static constexpr size_t kMostOctets = 200;

  void note(std::string_view reply) {
    if (reply.empty()) return;
    newest_ = static_cast<uint8_t>((newest_ + 1) % kReplies);
    replies_[newest_].assign(conf::utf8_prefix(reply, kMostOctets));
  }
  std::vector<std::string> replies() const {  // the latest first
    std::vector<std::string> list;
    for (size_t back = 0; back < kReplies; ++back) {
      const std::string& reply = replies_[(newest_ + kReplies - back) % kReplies];
      if (!reply.empty()) list.push_back(reply);
    }
    return list;
  }

  void save(SavedWriter* out) const {
    const std::vector<std::string> list = replies();
    out->number(list.size());
    for (auto reply = list.rbegin(); reply != list.rend(); ++reply) out->text(*reply);
  }
  bool restore(SavedReader* in) {
    for (uint32_t left = in->number32(kReplies); left > 0 && in->ok(); --left) note(in->text(kMostOctets));
    return in->ok();
  }

 private:
  std::array<std::string, kReplies> replies_;
  uint8_t newest_ = 0;
};

}  // namespace mx
