// A set of source identifiers, written "1-5", "7", "-3" (up to 3), "9-" (9 and above), several with commas.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/result.h"

namespace conf {

class SourceSet {
 public:
  // Empty (or blank) text: all identifiers. kInvalid says which part is wrong and why.
  static Result<SourceSet> parse(std::string_view text);
  static SourceSet all();
  SourceSet() = default;  // none

  bool contains(uint32_t id) const;
  bool covers(const SourceSet& other) const;  // every identifier of `other` is in this set
  void add(const SourceSet& other);
  bool is_all() const;
  bool is_none() const { return ranges_.empty(); }
  std::string text() const;  // canonical: "1-5,7,9-"; "all"; "none"

 private:
  struct Range {
    uint32_t first = 0;
    uint32_t last = 0;
  };
  void merge();  // sorts, joins what overlaps or touches
  std::vector<Range> ranges_;
};

}  // namespace conf
