// Which X-Load-Id values have come: "PREFIX-NUMBER", as the generator writes them. A bit a message, so that
// millions cost little; a relay may split a message over several transactions, so bits are kept for each
// recipient of a message ("userNUMBER-SLOT@", slot 0 without the hyphen).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct IdTotals {
  uint64_t distinct = 0;
  uint64_t lost = 0;        // numbers from 1 to the highest (or the expected) that did not come
  uint64_t duplicated = 0;  // came again
  uint64_t reordered = 0;   // came after a higher number
  uint64_t foreign = 0;     // ids of another form, or none
};

class IdCount {
 public:
  void add(std::string_view id, uint32_t slot = 0);
  // `expected` 0: the highest number that has come. Counts slot 0 only for the loss.
  IdTotals totals(uint64_t expected) const;

 private:
  struct Run {
    std::map<uint32_t, std::vector<bool>> seen;  // by slot
    uint64_t highest = 0;
  };
  std::map<std::string, Run, std::less<>> runs_;
  IdTotals totals_;
};

// The slot in a forward-path: 2 in "user17-2@d1.test", 0 in all else.
uint32_t recipient_slot(std::string_view forward_path);

}  // namespace bench
