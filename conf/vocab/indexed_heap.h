// A heap whose elements know their place, so that one in the middle can leave or move in O(log n). Of
// pointers; the elements belong to the caller. `Access` has two static functions: at(const T&), by which the
// smallest comes first, and put(T*, size_t), which notes the place. Growing moves nothing. One thread.
#pragma once

#include <cstddef>
#include <deque>

#include "conf/vocab/check.h"

namespace conf {

template <typename T, typename Access>
class IndexedHeap {
 public:
  bool empty() const { return elements_.empty(); }
  size_t size() const { return elements_.size(); }
  T* front() const { return elements_.front(); }
  void push(T* element) {
    elements_.push_back(element);
    sift_up(size() - 1);
  }
  // `element` must stand at `place`. What is noted of its place stays.
  void erase(T* element, size_t place) {
    CHECK(place < size() && elements_[place] == element);
    T* const last = elements_.back();
    elements_.pop_back();
    if (last == element) return;
    elements_[place] = last;
    sift_up(place);
    if (elements_[place] == last) sift_down(place);
  }
  // What stands there comes sooner, or later, than before.
  void sift_up(size_t place) {
    T* const moving = elements_[place];
    while (place > 0) {
      const size_t parent = (place - 1) / 2;
      if (Access::at(*elements_[parent]) <= Access::at(*moving)) break;
      put(place, elements_[parent]);
      place = parent;
    }
    put(place, moving);
  }
  void sift_down(size_t place) {
    T* const moving = elements_[place];
    for (size_t child = 2 * place + 1; child < size(); child = 2 * place + 1) {
      if (child + 1 < size() && Access::at(*elements_[child + 1]) < Access::at(*elements_[child])) ++child;
      if (Access::at(*elements_[child]) >= Access::at(*moving)) break;
      put(place, elements_[child]);
      place = child;
    }
    put(place, moving);
  }

 private:
  void put(size_t place, T* element) {
    elements_[place] = element;
    Access::put(element, place);
  }
  std::deque<T*> elements_;
};

}  // namespace conf
