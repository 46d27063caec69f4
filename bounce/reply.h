// SMTP replies as a client reads them (RFC 5321 §4.2, RFC 2034, RFC 3463).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/result.h"

namespace bounce {

struct EnhancedStatus {  // RFC 3463 §2; klass 0: none
  uint8_t klass = 0;     // 2, 4, 5
  uint16_t subject = 0;
  uint16_t detail = 0;
  bool present() const { return klass != 0; }
  std::string text() const;  // "5.1.1", "" when absent
  // At the start of `text`, followed by space or end. `consumed` (may be null) gets its length with the
  // space.
  static EnhancedStatus parse(std::string_view text, size_t* consumed = nullptr);
};

struct Reply {
  uint16_t code = 0;               // 0: none
  EnhancedStatus enhanced;         // of the first line that has one
  std::vector<std::string> lines;  // text of each line, after code and separator, enhanced status kept
  bool positive() const { return code >= 200 && code < 300; }
  bool transient() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500 && code < 600; }
  bool about_address() const { return enhanced.present() && enhanced.subject == 1; }  // RFC 3463 §3.2: X.1.Y
  std::string text() const;  // lines joined by one space, control characters replaced by '?': safe to log
  static Reply make(uint16_t code, std::string text);
  // Lines beyond so many octets in all go, the last one kept is cut; code and status stay.
  void cut_to(size_t octets);
};

// Incremental: feed any split of bytes, take whole replies. Accepts "250-", "250 ", "250" and LF line ends.
// Servers quote mail and logs in their replies: of a line, and of the lines, that are too much the first are
// kept (conf::limits::kReplyLineOctets, kReplyLines) and the rest is dropped.
class ReplyParser {
 public:
  // Of one reply, with what is dropped: an endless one is hostile.
  static constexpr size_t kMostOctets = 1 << 20;
  // Consumes from `*input` until one reply is complete (true; the rest stays in *input) or input is used up
  // (false). kInvalid: not a reply (bad code, 5yz behind lines of another class; else the last line's code
  // counts), or longer than kMostOctets. Where `pass_empty`, empty lines between replies are none of them.
  conf::Result<bool> feed(std::string_view* input, Reply* out, bool pass_empty = false);
  bool mid_reply() const { return !line_.empty() || !partial_.lines.empty(); }
  // The first octets of one that says yes are there, and its end is not.
  bool mid_positive() const { return partial_.lines.empty() ? line_.starts_with('2') : partial_.positive(); }
  void reset();

 private:
  conf::Status take_line(std::string_view line, bool* complete);
  std::string line_;  // begun, and not longer than is kept
  Reply partial_;
  size_t octets_ = 0;  // since the last reply
};

}  // namespace bounce
