// The value of a set of counters on disk: what the table knows of it, then the bytes that it writes itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mx/limits/moment.h"

namespace mx {

class Standing;
class Traffic;

// Counters that took over what others knew: all until `through`, as of a generation of the rules. `at` is the
// same in this process, where a step of the wall clock moves nothing; Instant::min(): it was in another.
struct Heir {
  uint32_t generation = 0;
  conf::WallTime through = conf::WallTime::min();
  conf::Instant at = conf::Instant::min();
};
using Heirs = std::unordered_map<uint64_t, Heir>;  // by CounterHeader::id

// The same in every build (FNV-1a).
constexpr uint64_t hash_that_lasts(std::string_view text) {
  uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return hash;
}

struct CounterHeader {
  conf::WallTime saved{};
  conf::WallTime stale{};  // not worth reading from then on
  uint64_t id = 0;         // of these counters, whatever they are called; 0: not known
  uint32_t made = 0;       // in this generation of the rules
  Heirs heirs;
};

// False: it is none.
bool split_value(std::string_view value, CounterHeader* header, std::string_view* body);
std::string join_value(const CounterHeader& header, std::string_view body);
// With the moment as `saved`; empty when there is nothing to remember.
std::string value_of(Traffic* object, CounterHeader header, const Moment& moment);
std::string value_of(Standing* object, CounterHeader header, const Moment& moment);

}  // namespace mx
