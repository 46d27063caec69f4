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
  // The text of the file `path`: in each line a domain and, behind a blank, its weight (1 without one); empty
  // lines and what follows a # are passed over. Each domain is drawn by its weight. The error has a line
  // "file:line:column: what" for each mistake.
  static conf::Result<Domains> parse_file(const std::string& path, std::string_view text);

  const std::string& pick(uint64_t number, conf::Random* random) const;  // O(log size)
  size_t size() const { return names_.size(); }

 private:
  void add(std::string_view name, double weight);

  std::vector<std::string> names_;
  std::vector<double> weight_before_;  // of each domain and those before it; empty: in turn
};

}  // namespace bench::load
