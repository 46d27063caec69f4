// toml++, as this folder uses it. Its own assertions fail on some malformed texts ("[:"); here they throw,
// and the parser makes an error for people of it.
#pragma once

#include <exception>

namespace conf {
struct TomlTrouble : std::exception {
  const char* what() const noexcept override { return "malformed TOML"; }
};
}  // namespace conf

#define TOML_ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : throw ::conf::TomlTrouble())
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Wterminate"  // some of the assertions stand in noexcept functions; those hold
#endif
#include <toml++/toml.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
