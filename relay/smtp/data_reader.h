// Reads the octets of a message off the wire: finds its end, takes the dots out (RFC 5321 §4.5.2) and
// guarantees that what it gives has CRLF line ends only. Gives slices of the input, so a body is not copied
// here.
//
// A message ends at <CRLF>.<CRLF> and nothing else (RFC 5321 §4.1.1.4; CVE-2023-51764). A bare LF or CR is a
// fault, or is converted: LF becomes CRLF, CR becomes a space. After a fault no more body is given, but the
// octets are still read up to the true end, so that they are never taken for commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "conf/config.h"

namespace relay::smtp {

class DataReader {
 public:
  enum class Framing : uint8_t {
    kDots,
    kChunks
  };  // DATA; BDAT, where the owner counts the octets (RFC 3030)
  enum class Fault : uint8_t { kNone, kBareNewline, kTooBig, kLongLine, kTooManyHops, kLongHeader, kNul };
  struct Bounds {
    conf::BareNewline bare_newline = conf::BareNewline::kRefuse;
    uint64_t message_octets = 0;  // of the unstuffed body
    size_t line_octets = 0;       // CRLF included
    // The client ends its commands, DATA too, with a bare LF, and its text may: with bare newlines converted,
    // <LF>.<LF> then ends a message that has no CRLF at all. A relay that was made to pass on text of others
    // writes CRLF around it, so this opens no way to smuggle.
    bool lf_only = false;
  };
  struct Step {
    size_t consumed = 0;    // of the input; may be 0 when `body` is not empty
    std::string_view body;  // a slice of the input, or a constant
    bool ended = false;     // kDots: the message is over
    uint32_t lines = 0;     // that were looked at: what the step cost
  };

  static constexpr uint32_t kStepLines = 256;

  DataReader() = default;
  DataReader(Framing framing, const Bounds& bounds) : framing_(framing), bounds_(bounds) {}

  // Makes one step over a non-empty input, of at most kStepLines lines. After `ended` it must not be called
  // again.
  Step step(std::string_view input);
  // kChunks: the last octet has come. Gives what completes the last line; may still find a fault.
  std::string_view finish();
  // Another's reason to give no more body. The first fault stays.
  void refuse(Fault fault);

  Fault fault() const { return fault_; }
  // With a bare newline refused, a lone dot came that a careless server would take for the end of the
  // message.
  bool ambiguous_end() const { return ambiguous_end_; }
  uint64_t body_octets() const { return body_octets_; }

 private:
  // Where in a line the next octet stands.
  enum class Place : uint8_t { kLineStart, kDot, kDotCr, kText, kCr };

  Step text(std::string_view input);
  Step lone_dot_line();
  Step bare_lf();
  Step bare_cr();
  Step give(size_t consumed, std::string_view body, uint32_t lines = 0);
  void lengthen_line(size_t octets);
  void end_line(bool by_crlf);

  Framing framing_ = Framing::kDots;
  Bounds bounds_;
  Place place_ = Place::kLineStart;
  bool any_crlf_ = false;   // a line of this message ended in CRLF
  bool after_crlf_ = true;  // the line began after a true CRLF (or is the first)
  bool ambiguous_end_ = false;
  Fault fault_ = Fault::kNone;
  uint64_t body_octets_ = 0;
  size_t line_octets_ = 0;
};

}  // namespace relay::smtp
