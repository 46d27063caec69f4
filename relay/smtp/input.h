// Input of a session that is not used yet: what was kept of earlier calls, then a borrowed slice of the
// newest one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::smtp {

class Input {
 public:
  enum class Line { kNone, kComplete, kTooLong };

  // Borrows `bytes` until keep() or until they are used.
  void add(std::string_view bytes);
  // Copies what is still borrowed; the caller's buffer may go.
  void keep();
  void clear();
  void wipe_used();  // overwrites what was used and is still kept: it held a secret

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
  std::string kept_;
  size_t offset_ = 0;  // of kept_, used already
  std::string_view borrowed_;
  bool dropping_ = false;  // inside a line that is too long
};

}  // namespace relay::smtp
