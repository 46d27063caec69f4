// Set when counters change, cleared when they are saved. Setting it puts the number of its owner on a list,
// once, so that whoever saves need not look at what did not change. One thread.
#pragma once

#include <cstdint>
#include <vector>

namespace mx {

using ChangeList = std::vector<uint32_t>;

class ChangeMark {
 public:
  ChangeMark() = default;
  ChangeMark(const ChangeMark&) = delete;
  ChangeMark& operator=(const ChangeMark&) = delete;

  // From now on; a mark that is set already goes onto the list at once. `list` outlives the mark, or null.
  void attach(ChangeList* list, uint32_t number) {
    list_ = list;
    number_ = number;
    if (set_ && list_ != nullptr) list_->push_back(number_);
  }
  void mark() {
    if (set_) return;
    set_ = true;
    if (list_ != nullptr) list_->push_back(number_);
  }
  void clear() { set_ = false; }
  bool set() const { return set_; }

 private:
  ChangeList* list_ = nullptr;
  uint32_t number_ = 0;
  bool set_ = false;
};

}  // namespace mx
