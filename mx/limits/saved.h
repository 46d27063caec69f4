// The bytes in which counters outlive the process: numbers and texts (conf/vocab/packed.h), moments as
// microseconds since 1970. The first number of every value is its version.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "conf/vocab/packed.h"
#include "mx/limits/moment.h"

namespace mx {

class SavedWriter : public conf::PackedWriter {
 public:
  SavedWriter(std::string* out, const Moment& moment) : PackedWriter(out), moment_(moment) {}
  void length(conf::Duration value) { number(static_cast<uint64_t>(value.count())); }  // not negative
  void instant(conf::Instant at) { wall(moment_.to_wall(at)); }
  void wall(conf::WallTime at) { signed_number(conf::unix_micros(at)); }

 private:
  const Moment& moment_;
};

class SavedReader : public conf::PackedReader {
 public:
  SavedReader(std::string_view in, const Moment& moment) : PackedReader(in), moment_(moment) {}
  uint32_t number32(uint32_t max = std::numeric_limits<uint32_t>::max()) {
    return static_cast<uint32_t>(number(max));
  }
  conf::Duration length() { return conf::Duration(static_cast<int64_t>(number(kMostMicros))); }
  conf::WallTime wall() {
    const auto value = conf::from_unix_micros(signed_number());
    if (value == conf::WallTime::max() || value == conf::WallTime::min()) return value;
    const int64_t micros = conf::unix_micros(value);
    if (micros <= static_cast<int64_t>(kMostMicros) && micros >= -static_cast<int64_t>(kMostMicros))
      return value;
    fail();
    return {};
  }
  conf::Instant instant() { return moment_.to_instant(wall()); }
  conf::Instant past() { return moment_.to_past(wall()); }  // of something that has happened
  // The same; what is older than a century is as old as that, so that differences cannot overflow.
  conf::Instant recent_past() { return std::max(past(), moment_.now - kCentury); }
  const Moment& moment() const { return moment_; }

 private:
  // 31,000 years: what is further off was not written by us, and sums of such times cannot overflow.
  static constexpr uint64_t kMostMicros = 1'000'000'000'000'000'000;
  static constexpr conf::Duration kCentury = std::chrono::hours(24 * 36'525);
  const Moment& moment_;
};

}  // namespace mx
