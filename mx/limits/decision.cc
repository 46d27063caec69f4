#include "mx/limits/decision.h"

#include <array>

namespace mx {

namespace {

struct Unit {
  conf::Duration length;
  const char* name;
};
constexpr std::array<Unit, 5> kUnits = {{{std::chrono::hours(24), " d"},
                                         {std::chrono::hours(1), " h"},
                                         {std::chrono::minutes(1), " min"},
                                         {std::chrono::seconds(1), " s"},
                                         {std::chrono::milliseconds(1), " ms"}}};

}  // namespace

// Nobody reads milliseconds beside many seconds.
std::string duration_text(conf::Duration length) {
  if (length >= std::chrono::seconds(10)) length = std::chrono::round<std::chrono::seconds>(length);
  std::string text;
  for (size_t i = 0; i < kUnits.size(); ++i) {
    if (length < kUnits[i].length) continue;
    text = std::to_string(length / kUnits[i].length) + kUnits[i].name;
    if (i + 1 == kUnits.size()) return text;
    const conf::Duration rest = length % kUnits[i].length;
    if (rest >= kUnits[i + 1].length)
      text += " " + std::to_string(rest / kUnits[i + 1].length) + kUnits[i + 1].name;
    return text;
  }
  return "0 s";
}

std::string share_text(uint64_t part, uint64_t whole) {
  const uint64_t tenths = whole == 0 ? 0 : part * 1000 / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string until_text(conf::Instant until, conf::Instant now) {
  if (until == conf::kNever) return "until an operator unblocks it";
  return "for " + duration_text(until > now ? until - now : conf::Duration(0));
}

}  // namespace mx
