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
  ListHook* previous = nullptr;
  ListHook* next = nullptr;
  T* owner = nullptr;
};

template <typename T, ListHook<T> T::*Hook>
class IntrusiveList {
 public:
  IntrusiveList() { head_.previous = head_.next = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    clear();
    head_.previous = head_.next = nullptr;
  }

  bool empty() const { return head_.next == &head_; }
  size_t size() const { return size_; }
  T* front() const { return empty() ? nullptr : head_.next->owner; }
  // The element after `element`, or null at the end.
  T* after(T* element) const {
    ListHook<T>* next = (element->*Hook).next;
    return next == &head_ ? nullptr : next->owner;
  }
  void push_back(T* element) { insert_before(&head_, element); }
  void push_front(T* element) { insert_before(head_.next, element); }
  T* pop_front() {
    T* element = front();
    if (element != nullptr) erase(element);
    return element;
  }
  // `element` must be in this list.
  void erase(T* element) {
    ListHook<T>& hook = element->*Hook;
    CHECK(hook.linked());
    hook.previous->next = hook.next;
    hook.next->previous = hook.previous;
    hook.previous = hook.next = nullptr;
    --size_;
  }
  void clear() {
    while (pop_front() != nullptr) {
    }
  }

 private:
  void insert_before(ListHook<T>* place, T* element) {
    ListHook<T>& hook = element->*Hook;
    CHECK(!hook.linked());
    hook.owner = element;
    hook.previous = place->previous;
    hook.next = place;
    place->previous->next = &hook;
    place->previous = &hook;
    ++size_;
  }
  ListHook<T> head_;
  size_t size_ = 0;
};

}  // namespace conf
