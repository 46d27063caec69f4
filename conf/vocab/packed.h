// Values one behind the other in bytes, for what outlives the process: numbers of variable length (varint.h)
// and texts with their length before them. Nothing says what comes: both sides know the order. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "conf/vocab/varint.h"

namespace conf {

class PackedWriter {
 public:
  explicit PackedWriter(std::string* out) : out_(*out) {}  // borrowed; what is written goes to its end
  void number(uint64_t value) { put_varint(value, &out_); }
  void signed_number(int64_t value) { number(zigzag(value)); }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }

 private:
  std::string& out_;
};

// Reads until the first wrong byte, then gives zeros and empty texts; the caller asks ok() at the end.
class PackedReader {
 public:
  explicit PackedReader(std::string_view in) : left_(in) {}  // borrowed
  bool ok() const { return ok_; }
  bool ended() const { return left_.empty(); }
  std::string_view rest() const { return left_; }
  void fail() {
    ok_ = false;
    left_ = {};
  }
  uint64_t number(uint64_t max = std::numeric_limits<uint64_t>::max()) {
    const std::optional<uint64_t> value = take_varint(&left_);
    if (value.has_value() && *value <= max) return *value;
    fail();
    return 0;
  }
  int64_t signed_number() { return unzigzag(number()); }
  // A view of what is read: the caller copies it to where it stays.
  std::string_view text(size_t max = std::numeric_limits<size_t>::max()) {
    const uint64_t size = number(max);
    if (size > left_.size()) {
      fail();
      return {};
    }
    const std::string_view value = left_.substr(0, size);
    left_.remove_prefix(size);
    return value;
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace conf
