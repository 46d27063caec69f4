// What a table of allowed steps between the states of an enum is written with: sets of states as bits, and
// the proof that the rows stand in the order of the enum. Pure, at compile time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace conf {

template <typename... States>
constexpr uint32_t state_set(States... states) {
  static_assert(sizeof...(States) <= 32);
  return (uint32_t{0} | ... | (uint32_t{1} << static_cast<unsigned>(states)));
}

// `rows` have a member `from`; they are indexed by it.
template <typename Row, size_t kCount>
constexpr bool rows_in_order(const Row (&rows)[kCount]) {
  for (size_t i = 0; i < kCount; ++i) {
    if (static_cast<size_t>(rows[i].from) != i) return false;
  }
  return true;
}

}  // namespace conf
