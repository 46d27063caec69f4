// A message with places to fill in for each recipient. Pure.
//   {recipient} {local} {domain}   the first recipient of the message and its halves
//   {from} {number} {id} {date}    reverse-path, number of the message, its X-Load-Id, start of the run
//   {random} {random:40}           hexadecimal digits, 8 or as many as said
//   {filler}                       alone in its line: text lines up to the size that was drawn
//   {{                             a brace; braces around anything else (style sheets) stay as they are
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/output.h"
#include "conf/config_parser.h"
#include "conf/vocab/random.h"

namespace bench::load {

// What a message has in those places.
struct Filling {
  std::string_view local;
  std::string_view domain;
  std::string_view from;
  std::string_view number;
  std::string_view id;
  std::string_view date;
  uint64_t size_bytes = 0;  // what {filler} fills up to
};

class Template {
 public:
  // Line ends become CRLF. Without a field X-Load-Id one is put in front. Every mistake is told with its
  // place; the template is of no use when there is one. `filler`, whole lines of text, must outlive it.
  static Template parse(const std::string& file, std::string_view text, std::string_view filler,
                        std::vector<conf::Problem>* problems);

  // The message, with dots doubled for DATA (RFC 5321 §4.5.2) when `stuffed`; no end-of-data line. Long
  // literal parts are shared: the template must outlive `out`.
  void write(const Filling& filling, bool stuffed, conf::Random* random, Output* out) const;

 private:
  enum class Field : uint8_t {
    kLiteral,
    kRecipient,
    kLocal,
    kDomain,
    kFrom,
    kNumber,
    kId,
    kDate,
    kRandom,
    kFiller
  };
  struct Piece {
    Field field = Field::kLiteral;
    bool at_line_start = false;
    uint32_t digits = 0;
    std::string text;     // literal
    std::string stuffed;  // the same for DATA
  };
  class Parser;

  static std::string value(const Piece& piece, const Filling& filling, conf::Random* random);
  void write_filler(uint64_t bytes, Output* out) const;

  std::vector<Piece> pieces_;
  std::string_view filler_;
};

// The message of the generator when it is given no file.
extern const char kDefaultTemplate[];
// Text lines without dots at their begin, at least `bytes` long.
std::string make_filler(uint64_t bytes);

}  // namespace bench::load
