// What waits to be written on a session: text of its own and shared content that is not copied.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench::load {

class Output {
 public:
  void add(std::string_view text);
  void add_shared(std::string_view text);  // must outlive the output
  void append(const Output& other);        // copies its own text, shares the rest
  bool empty() const { return at_ == pieces_.size(); }
  uint64_t size() const { return size_; }  // bytes not written yet
  // The pieces to write next; at most `most`. Valid until the next call of anything else.
  size_t gather(iovec* parts, size_t most) const;
  void consume(size_t count);

 private:
  struct Piece {
    const char* shared = nullptr;  // null: `begin` is a place in text_
    size_t begin = 0;
    size_t size = 0;
  };
  std::string text_;
  std::vector<Piece> pieces_;
  uint64_t size_ = 0;
  size_t at_ = 0;  // the first piece that is not all written
};

}  // namespace bench::load
