#include "relay/smtp/input.h"

#include <cstring>

namespace relay::smtp {

void Input::add(std::string_view bytes) {
  if (!borrowed_.empty()) keep();
  borrowed_ = bytes;
}

void Input::keep() {
  if (offset_ > 0) {
    const size_t left = kept_.size() - offset_;
    std::memmove(kept_.data(), kept_.data() + offset_, left);
    explicit_bzero(kept_.data() + left, offset_);
    kept_.resize(left);
    offset_ = 0;
  }
  append(borrowed_);
  borrowed_ = {};
}

void Input::clear() {
  if (!kept_.empty()) explicit_bzero(kept_.data(), kept_.size());
  kept_.clear();
  offset_ = 0;
  borrowed_ = {};
  dropping_ = false;
}

std::string_view Input::front() const {
  if (offset_ < kept_.size()) return {kept_.data() + offset_, kept_.size() - offset_};
  return borrowed_;
}

void Input::consume(size_t count) {
  if (offset_ < kept_.size()) {
    offset_ += count;
  } else {
    borrowed_.remove_prefix(count);
  }
}

Input::Line Input::take_line(size_t limit, std::string_view* line, bool* crlf) {
  std::string_view run = front();
  size_t lf = run.find('\n');
  if (lf == std::string_view::npos && offset_ < kept_.size() && !borrowed_.empty()) {
    // The line goes on in the borrowed slice: join only what belongs to it.
    const size_t rest = borrowed_.find('\n');
    const size_t count = rest == std::string_view::npos ? borrowed_.size() : rest + 1;
    append(borrowed_.substr(0, count));
    borrowed_.remove_prefix(count);
    run = front();
    lf = run.find('\n');
  }
  if (lf == std::string_view::npos) {
    if (run.size() >= limit || dropping_) {
      dropping_ = true;
      consume(run.size());
    }
    return Line::kNone;
  }
  consume(lf + 1);
  const bool too_long = dropping_ || lf + 1 > limit;
  dropping_ = false;
  if (too_long) return Line::kTooLong;
  *crlf = lf > 0 && run[lf - 1] == '\r';
  *line = run.substr(0, *crlf ? lf - 1 : lf);
  return Line::kComplete;
}

}  // namespace relay::smtp
