// The first delivery of each message, found by the id. An open table (linear probing), cut in parts: each
// grows by itself, so that no insertion moves more than a small share of what is there and stops the loop. It
// takes 13 to 16 bytes a message: a pointer and 16 bits of the hash, so that hardly a delivery of another
// message is looked at. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "relay/queue/delivery.h"

namespace relay::queue {

class DeliveryIndex {
 public:
  // Null: there is none.
  Delivery* find(conf::MessageId id) const;
  // `delivery` stands for its message from now on. Returns what stood there; null: nothing did.
  Delivery* put(Delivery* delivery);
  void erase(conf::MessageId id);  // must be there
  size_t size() const { return size_; }
  template <typename Use>
  void for_each(const Use& use) const {
    size_t part = 0;
    visit_some(&part, SIZE_MAX, use);
  }
  // The same in parts, from `*part` on, until `most` were shown or the end is reached; `*part` is then where
  // to go on. False: that was the end. A message is shown once, whatever comes and goes meanwhile.
  template <typename Use>
  bool visit_some(size_t* part, size_t most, const Use& use) const {
    size_t shown = 0;
    while (*part < parts_.size() && shown < most) {
      for (Delivery* first : parts_[*part].firsts) {
        if (first != nullptr) use(first);
      }
      shown += parts_[*part].size + (parts_[*part].firsts.empty() ? 0 : 1);
      ++*part;
    }
    return *part < parts_.size();
  }

 private:
  struct Part {
    std::vector<Delivery*> firsts;  // null: a free place
    std::vector<uint16_t> tags;     // of the places taken: of the hash; it says where the search begins
    size_t size = 0;

    size_t home(uint16_t tag) const { return tag * firsts.size() >> 16; }
    size_t after(size_t place) const { return place + 1 == firsts.size() ? 0 : place + 1; }
    // Where the message is, or the free place that ends the search. There must be a free place.
    size_t look(conf::MessageId id, uint16_t tag) const;
    void grow();
    void close_gap(size_t gap);
  };
  static constexpr int kPartBits = 12;
  struct Hash {
    size_t part;
    uint16_t tag;
  };
  static Hash hash(conf::MessageId id);

  std::array<Part, size_t{1} << kPartBits> parts_;
  size_t size_ = 0;
};

}  // namespace relay::queue
