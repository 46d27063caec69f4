// A doubly linked list whose links live in the elements: no allocation, O(1) removal from the middle. An
// element is in at most one list per hook; destroying a linked element is a CHECK failure. One thread.
#pragma once

#include <cstddef>

#include "conf/vocab/check.h"

namespace conf {

template <typename T>
struct ListHook {
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { CHECK(!linked()); }
  bool linked() const { return previous != nullptr; }
  T* previous = nullptr;  // the first element has itself here; null: in no list
  T* next = nullptr;      // null: the last
};

template <typename T, ListHook<T> T::*Hook>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() { clear(); }

  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }
  T* front() const { return first_; }
  T* back() const { return last_; }
  // The element after `element`, or null at the end.
  T* after(T* element) const { return (element->*Hook).next; }
  void push_back(T* element) {
    ListHook<T>& hook = element->*Hook;
    CHECK(!hook.linked());
    hook.previous = last_ == nullptr ? element : last_;
    (last_ == nullptr ? first_ : (last_->*Hook).next) = element;
    last_ = element;
    ++size_;
  }
  void push_front(T* element) {
    ListHook<T>& hook = element->*Hook;
    CHECK(!hook.linked());
    hook.previous = element;
    hook.next = first_;
    (first_ == nullptr ? last_ : (first_->*Hook).previous) = element;
    first_ = element;
    ++size_;
  }
  T* pop_front() {
    T* element = front();
    if (element != nullptr) erase(element);
    return element;
  }
  // `element` must be in this list.
  void erase(T* element) {
    ListHook<T>& hook = element->*Hook;
    CHECK(hook.linked());
    T* const before = hook.previous == element ? nullptr : hook.previous;
    T* const after = hook.next;
    (before == nullptr ? first_ : (before->*Hook).next) = after;
    if (after == nullptr) {
      last_ = before;
    } else {
      (after->*Hook).previous = before == nullptr ? after : before;
    }
    hook.previous = hook.next = nullptr;
    --size_;
  }
  void clear() {
    while (pop_front() != nullptr) {
    }
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace conf
