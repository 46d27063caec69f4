#include "conf/vocab/address_notice.h"

#include <array>
#include <cstddef>

namespace conf {

const char* to_text(AddressStatus status) {
  constexpr std::array<const char*, 6> kWords = {"unknown",    "valid",      "with-errors",
                                                 "quarantine", "denylisted", "allowlisted"};
  return kWords[static_cast<size_t>(status)];
}

const char* to_text(Suppression suppression) {
  constexpr std::array<const char*, 4> kWords = {"", "refused", "reported", "logged"};
  return kWords[static_cast<size_t>(suppression)];
}

}  // namespace conf
