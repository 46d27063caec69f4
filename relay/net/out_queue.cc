#include "relay/net/out_queue.h"

#include <utility>

#include "conf/vocab/check.h"

namespace relay {

namespace {
constexpr size_t kCopyBelow = 512;
constexpr size_t kJoinUpTo = 4096;  // one page: replies and commands of a flight travel together
}  // namespace

void OutQueue::append(std::string_view text) {
  if (text.empty()) return;
  size_ += text.size();
  if (!segments_.empty()) {
    Segment& last = segments_.back();
    if (!last.shared.has_value() && last.source == nullptr && last.owned.size() + text.size() <= kJoinUpTo) {
      last.owned.append(text);
      last.end = last.owned.size();
      return;
    }
  }
  Segment& segment = segments_.emplace_back();
  segment.owned.assign(text);
  segment.end = text.size();
}

void OutQueue::append_shared(const conf::Bytes& bytes, size_t offset, size_t length) {
  CHECK(offset + length <= bytes.size());
  if (length < kCopyBelow) {
    append(bytes.view().substr(offset, length));
    return;
  }
  size_ += length;
  Segment& segment = segments_.emplace_back();
  segment.shared = bytes;
  segment.offset = offset;
  segment.end = offset + length;
}

void OutQueue::append_source(std::unique_ptr<Source> source) {
  if (source->left() == 0) return;
  size_ += source->left();
  segments_.emplace_back().source = std::move(source);
  make_front();
}

// The first bytes of a source that has come to the front.
void OutQueue::make_front() {
  while (!segments_.empty() && segments_.front().source != nullptr) {
    OutQueue some;
    Source* source = segments_.front().source.get();
    size_ -= source->left();
    source->make_some(&some);
    size_ += source->left() + some.size_;
    if (source->left() == 0) segments_.pop_front();
    for (auto piece = some.segments_.rbegin(); piece != some.segments_.rend(); ++piece)
      segments_.push_front(std::move(*piece));
  }
}

void OutQueue::take(OutQueue* other) {
  if (segments_.empty()) {
    segments_.swap(other->segments_);
  } else {
    for (Segment& segment : other->segments_) segments_.push_back(std::move(segment));
  }
  size_ += other->size_;
  other->clear();
}

std::string_view OutQueue::front() const {
  return segments_.empty() ? std::string_view() : segments_.front().view();
}

size_t OutQueue::peek(std::string_view* runs, size_t max) const {
  size_t count = 0;
  for (const Segment& segment : segments_) {
    if (count == max || segment.source != nullptr) break;
    runs[count++] = segment.view();
  }
  return count;
}

void OutQueue::consume(size_t count) {
  CHECK(count <= size_);
  size_ -= count;
  while (count > 0) {
    Segment& first = segments_.front();
    const size_t have = first.end - first.offset;
    if (count < have) {
      first.offset += count;
      return;
    }
    count -= have;
    segments_.pop_front();
  }
  make_front();
}

void OutQueue::clear() {
  segments_.clear();
  size_ = 0;
}

std::string OutQueue::flatten() {
  std::string all;
  while (!empty()) {
    all.append(front());
    consume(front().size());
  }
  append(all);
  return all;
}

}  // namespace relay
