// Which reports about a message and one recipient came before: receivers send the same bounce again, and some
// send it hundreds of times, but a recipient refused one message once. Remembers the latest ones of this
// process, in some 100 octets each. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_set>

#include "conf/vocab/ascii.h"
#include "conf/vocab/event.h"

namespace relay::journal {

class FirstReports {
 public:
  explicit FirstReports(size_t most = 100'000) : most_(most) {}

  // Whether no event of this kind, about this message and recipient, was asked about yet.
  bool is_first(const conf::DeliveryEvent& event) {
    const std::string text = std::to_string(event.id) + ' ' + std::to_string(static_cast<int>(event.kind)) +
                             ' ' + conf::ascii_lower(event.recipient);
    const size_t print = std::hash<std::string>()(text);
    if (!known_.insert(print).second) return false;
    order_.push_back(print);
    if (order_.size() > most_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  const size_t most_;
  std::unordered_set<size_t> known_;
  std::deque<size_t> order_;  // the oldest first
};

}  // namespace relay::journal
