// Canonicalization of headers and bodies, RFC 6376 §3.4: what is hashed in place of what is sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/dkim_settings.h"

namespace dkim {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(std::string_view bytes) = 0;
};

// A body, in pieces cut anywhere. Everything goes to the sink in runs of up to a few kilobytes; a body of any
// size needs the same memory. CRLF is the only line end; a CR or LF alone is an ordinary character.
class BodyCanonicalizer {
 public:
  BodyCanonicalizer(conf::Canonicalization how, ByteSink* sink) : how_(how), sink_(sink) {}
  void update(std::string_view piece);
  void finish();  // once, after the last piece

 private:
  void simple(std::string_view piece);
  void relaxed(std::string_view piece);
  void begin_text();  // empty lines held back are part of the body after all
  void end_line();
  void put(char c) {
    if (used_ == out_.size()) flush();
    out_[used_++] = c;
  }
  void put(std::string_view run);
  void flush();

  const conf::Canonicalization how_;
  ByteSink* const sink_;
  std::array<char, 4096> out_{};
  size_t used_ = 0;
  uint64_t empty_lines_ = 0;  // held back: they count only when text follows
  bool cr_ = false;           // the last byte was a CR
  bool space_ = false;        // relaxed: white space held back
  bool text_ = false;         // this line has something
  bool any_ = false;          // the body has something
};

// One header field (without its last CRLF) as it is hashed, CRLF added (RFC 6376 §3.4.1, §3.4.2).
void append_canonical_field(std::string_view field, conf::Canonicalization how, std::string* out);

}  // namespace dkim
