// How large messages are: one size, a range, a mix of them, or a lognormal law. Values only; the dice are the
// caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/random.h"
#include "conf/vocab/result.h"

namespace bench::load {

class Sizes {
 public:
  // "10k"                          each has 10,240 bytes (k and m are 1,024 and 1,024 x 1,024)
  // "2k-100k"                      uniform between them, both included
  // "2k:50,10k:40,50k-200k:10"     a mix: size or range, and its weight
  // "lognormal:10k:1.2[:10m]"      median, sigma of the natural logarithm, and the largest (default 25m)
  // The error says which part is wrong and why.
  static conf::Result<Sizes> parse(std::string_view text);

  uint64_t draw(conf::Random* random) const;
  uint64_t largest() const;

 private:
  struct Part {
    uint64_t low = 0;
    uint64_t high = 0;
    double weight_before = 0;  // of this part and those before it
  };
  static conf::Result<Part> parse_part(std::string_view text);
  static conf::Result<Sizes> parse_lognormal(std::string_view text);

  std::vector<Part> parts_;
  double mu_ = 0;
  double sigma_ = -1;  // negative: not lognormal
  uint64_t largest_ = 0;
};

// "10k" -> 10240; an error for anything else than digits with k or m behind, or beyond 256 MiB.
conf::Result<uint64_t> parse_size(std::string_view text);
// A finite number above 0, the whole text; 0 otherwise.
double positive_number(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace bench::load
