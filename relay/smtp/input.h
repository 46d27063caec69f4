// Input of a session that is not used yet: what was kept of earlier calls, then a borrowed slice of the
// newest one. Any line may hold a secret, also one that no command is made of: no octet that was kept stays
// in memory after it was used, nor after its Input.
#pragma once

#include <string.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace relay::smtp {

// Overwrites memory before it gives it back.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename Other>
  WipingAllocator(const WipingAllocator<Other>&) {}  // NOLINT(google-explicit-constructor)
  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, size_t count) {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

class Input {
 public:
  enum class Line { kNone, kComplete, kTooLong };

  // Borrows `bytes` until keep() or until they are used.
  void add(std::string_view bytes);
  // Copies what is still borrowed, so that the caller's buffer may go; what was used is overwritten.
  void keep();
  void clear();

  bool empty() const { return offset_ == kept_.size() && borrowed_.empty(); }
  size_t size() const { return kept_.size() - offset_ + borrowed_.size(); }
  // The first run of octets; valid until add(), keep(), clear() or take_line().
  std::string_view front() const;
  void consume(size_t count);  // at most front().size()

  // Takes one line of at most `limit` octets. `*line` has no line end; `*crlf` tells whether that was CRLF.
  // kTooLong is said once, when the end of the long line has come; its octets are dropped as they come, so
  // the memory is bounded.
  Line take_line(size_t limit, std::string_view* line, bool* crlf);

 private:
  void append(std::string_view bytes) { kept_.insert(kept_.end(), bytes.begin(), bytes.end()); }

  std::vector<char, WipingAllocator<char>> kept_;
  size_t offset_ = 0;  // of kept_, used already
  std::string_view borrowed_;
  bool dropping_ = false;  // inside a line that is too long
};

}  // namespace relay::smtp
