// The bytes in which counters outlive the process: numbers of variable length (LEB128), texts with their
// length, moments as microseconds since 1970. The first number of every value is its version.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "conf/vocab/varint.h"
#include "mx/limits/moment.h"

namespace mx {

class SavedWriter {
 public:
  SavedWriter(std::string* out, const Moment& moment) : out_(*out), moment_(moment) {}
  void number(uint64_t value) { conf::put_varint(value, &out_); }
  void length(conf::Duration value) { number(static_cast<uint64_t>(value.count())); }  // not negative
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void instant(conf::Instant at) { wall(moment_.to_wall(at)); }
  void wall(conf::WallTime at) { number(conf::zigzag(conf::unix_micros(at))); }

 private:
  std::string& out_;
  const Moment& moment_;
};

// Reads until the first wrong byte, then gives zeros; the caller asks ok() at the end.
class SavedReader {
 public:
  SavedReader(std::string_view in, const Moment& moment) : left_(in), moment_(moment) {}
  bool ok() const { return ok_; }
  bool ended() const { return left_.empty(); }
  std::string_view rest() const { return left_; }
  void fail() {
    ok_ = false;
    left_ = {};
  }
  uint64_t number(uint64_t max = std::numeric_limits<uint64_t>::max()) {
    const std::optional<uint64_t> value = conf::take_varint(&left_);
    if (value.has_value() && *value <= max) return *value;
    fail();
    return 0;
  }
  uint32_t number32(uint32_t max = std::numeric_limits<uint32_t>::max()) {
    return static_cast<uint32_t>(number(max));
  }
  conf::Duration length() { return conf::Duration(static_cast<int64_t>(number(kMostMicros))); }
  std::string text(size_t max) {
    const uint64_t size = number(max);
    if (size > left_.size()) {
      fail();
      return {};
    }
    std::string value(left_.substr(0, size));
    left_.remove_prefix(size);
    return value;
  }
  conf::WallTime wall() {
    const auto value = conf::from_unix_micros(conf::unzigzag(number()));
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
  std::string_view left_;
  const Moment& moment_;
  bool ok_ = true;
};

}  // namespace mx
