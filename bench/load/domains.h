// The recipient domains and how often each is drawn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/random.h"
#include "conf/vocab/result.h"

namespace bench::load {

class Domains {
 public:
  // `list`: a count N for d1.test to dN.test, or domains with commas between. `zipf` 0: each in turn;
  // otherwise the k-th is drawn with a weight of 1 / k^zipf, so that the first is the most frequent.
  static conf::Result<Domains> parse(std::string_view list, double zipf);

  const std::string& pick(uint64_t number, conf::Random* random) const;  // O(log size)
  size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::vector<double> weight_before_;  // empty: in turn
};

}  // namespace bench::load
