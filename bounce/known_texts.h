// Remembers what refusals mean that were read before: a campaign meets the same few texts again and again,
// each with another address in it. In front of a Qualifier, and as exact: two occasions are the same when
// nothing that a rule or a row looks at parts them. Bounded; the texts seen longest ago go first, about. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bounce/qualifier.h"

namespace bounce {

class KnownTexts {
 public:
  static constexpr size_t kLongestText = 900;  // octets; longer ones are read anew each time

  // Room for at least `most` texts, taken when the first one comes.
  KnownTexts(std::shared_ptr<const Qualifier> qualifier, size_t most);

  // As Qualifier::qualify. Valid until the next call.
  const Qualification& qualify(const Occasion& occasion);
  // From now on by these rules: what was known is forgotten.
  void use(std::shared_ptr<const Qualifier> qualifier);
  void resize(size_t most);  // the same, with room for so many
  const Qualifier& qualifier() const { return *qualifier_; }

  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    size_t hash = 0;
    std::string key;  // empty: the place is free
    Qualification meaning;
  };
  static constexpr size_t kWays = 4;  // places of a text, the latest used first

  bool write_key(const Occasion& occasion);

  std::shared_ptr<const Qualifier> qualifier_;
  size_t most_;
  std::vector<Entry> entries_;
  std::string key_;        // of the present call
  Qualification unknown_;  // of a text that is not remembered
  uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace bounce
