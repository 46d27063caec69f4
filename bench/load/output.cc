#include "bench/load/output.h"

#include <algorithm>

namespace bench::load {

void Output::add(std::string_view text) {
  if (text.empty()) return;
  const size_t begin = text_.size();
  size_ += text.size();
  text_.append(text);
  if (!empty() && pieces_.back().shared == nullptr) {
    pieces_.back().size += text.size();  // text_ only grows, so it lies right behind
  } else {
    pieces_.push_back({nullptr, begin, text.size()});
  }
}

void Output::add_shared(std::string_view text) {
  if (text.empty()) return;
  size_ += text.size();
  pieces_.push_back({text.data(), 0, text.size()});
}

void Output::append(const Output& other) {
  for (size_t i = other.at_; i < other.pieces_.size(); ++i) {
    const Piece& piece = other.pieces_[i];
    if (piece.shared != nullptr) {
      add_shared({piece.shared, piece.size});
    } else {
      add(std::string_view(other.text_).substr(piece.begin, piece.size));
    }
  }
}

size_t Output::gather(iovec* parts, size_t most) const {
  const size_t count = std::min(most, pieces_.size() - at_);
  for (size_t i = 0; i < count; ++i) {
    const Piece& piece = pieces_[at_ + i];
    const char* begin = piece.shared != nullptr ? piece.shared : text_.data() + piece.begin;
    parts[i] = {const_cast<char*>(begin), piece.size};
  }
  return count;
}

void Output::consume(size_t count) {
  size_ -= count;
  while (count > 0) {
    Piece& piece = pieces_[at_];
    const size_t step = std::min(count, piece.size);
    if (piece.shared != nullptr) {
      piece.shared += step;
    } else {
      piece.begin += step;
    }
    piece.size -= step;
    count -= step;
    if (piece.size == 0) ++at_;
  }
  if (at_ < pieces_.size()) return;
  pieces_.clear();
  text_.clear();
  at_ = 0;
}

}  // namespace bench::load
