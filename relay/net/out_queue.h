// OutQueue: bytes on their way out, as owned pieces and as shared slices of message bodies, so that a body is
// never copied on its way to the socket; what is costly to make is made piece by piece when its turn comes.
// Order is kept. One thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "conf/vocab/bytes.h"

namespace relay {

class OutQueue {
 public:
  // Appends a copy; small pieces are joined into one segment.
  void append(std::string_view text);
  // Appends a slice of `bytes` without copying (below 512 bytes it copies: cheaper than a segment).
  void append_shared(const conf::Bytes& bytes, size_t offset, size_t length);

  // Makes its bytes when they are wanted.
  class Source {
   public:
    virtual ~Source() = default;
    virtual size_t left() const = 0;  // bytes that it will make, as far as is known; 0: it has made all
    virtual void make_some(OutQueue* out) = 0;  // at least one byte
  };
  // Its first bytes are made when all before it is sent, the next when those are.
  void append_source(std::unique_ptr<Source> source);

  // Moves all of `other` to the end; `other` is empty afterwards.
  void take(OutQueue* other);

  bool empty() const { return segments_.empty(); }
  size_t size() const { return size_; }  // with what sources have left
  // The first run of unsent bytes; empty when there is none. Valid until the next call that changes the
  // queue.
  std::string_view front() const;
  // Fills up to `max` runs in order and says how many: for a gathering write. None is behind a source.
  size_t peek(std::string_view* runs, size_t max) const;
  // The first `count` bytes have been sent.
  void consume(size_t count);
  void clear();
  std::string flatten();  // all bytes, copied: for tests

 private:
  struct Segment {
    std::string owned;
    conf::Bytes shared;
    size_t offset = 0;  // sent already, or where the slice begins
    size_t end = 0;
    std::unique_ptr<Source> source;  // never in front
    std::string_view view() const {
      return (shared.has_value() ? shared.view() : std::string_view(owned)).substr(offset, end - offset);
    }
  };
  void make_front();

  std::deque<Segment> segments_;
  size_t size_ = 0;
};

}  // namespace relay
