// The parts of a mail: where each begins and ends, its header fields and its type. The structure is found in
// one bounded pass over the octets, without copying; GMime decodes only the parts that are asked for. LF and
// CRLF line ends, also mixed; broken mail is read as far as it makes sense (RFC 2045, 2046, 5322).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bounce::report {

struct Field {
  std::string_view name;
  std::string_view value;  // as it stands, folds included
};

struct Part {
  std::vector<Field> fields;
  std::string type;         // "text/plain", lower case; "text/plain" when none is said
  std::string boundary;     // of a multipart
  std::string charset;      // as it is said, may be empty
  std::string report_type;  // of multipart/report, lower case
  std::string_view encoding;
  std::string_view body;  // not decoded
  uint8_t depth = 0;      // 0: the mail itself
  bool cut = false;       // the boundary never came: `body` is text that was not split

  // The value of the first field of that name (lower case), trimmed; empty when there is none.
  std::string_view field(std::string_view lower_name) const;
  bool has(std::string_view lower_name) const;
  bool is(std::string_view lower_type) const { return type == lower_type; }
  bool is_multipart() const { return type.starts_with("multipart/"); }
};

// Bounds of one mail; what lies beyond them is not looked at. A report of a real receiver stays far below.
struct ReadLimits {
  uint8_t depth = 12;
  size_t parts = 64;
  size_t fields = 400;               // of one part
  size_t header_octets = 256 << 10;  // of one part
};

struct Mail {
  std::vector<Part> parts;  // the mail itself first, then its parts in order,
                            // each after what it stands in
  bool bounded = false;     // a limit was reached
};

// Views point into `octets`. A leading mbox "From " line is passed over. Nested messages are not opened:
// read them by another call on their (decoded) body.
Mail read_mail(std::string_view octets, const ReadLimits& limits = ReadLimits());

// Only the header of `octets` (a returned message, or its header); `body` is the rest.
Part read_header(std::string_view octets, const ReadLimits& limits = ReadLimits());

// The content as UTF-8 text: transfer encoding and charset undone, HTML turned into lines of text. Looks at
// no more than `limit` octets.
std::string part_text(const Part& part, size_t limit);

// The content with only its transfer encoding undone, for nested messages and reports. `*store` keeps it
// when it had to be decoded; the view points into the mail otherwise.
std::string_view part_content(const Part& part, size_t limit, std::string* store);

}  // namespace bounce::report
