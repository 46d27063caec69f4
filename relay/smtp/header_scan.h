// Watches the header of a message pass (RFC 5322 §2.2) and remembers the little that a relay must know of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay::smtp {

class HeaderScan {
 public:
  // The next octets of a body with CRLF line ends, cut anywhere. Costs nothing once the header is over.
  void feed(std::string_view body);

  bool over() const { return place_ == Place::kOver; }
  size_t octets() const { return octets_; }  // of the header so far
  size_t hops() const { return hops_; }      // Received fields (RFC 5321 §6.3)
  bool has_date() const { return has_date_; }
  bool has_message_id() const { return has_message_id_; }
  bool has_from() const { return has_from_; }
  // The message has no header at all: it begins with a line that is neither a field nor empty. Fields put
  // before it must be followed by an empty line.
  bool headless() const { return headless_; }

 private:
  enum class Place : uint8_t { kLineStart, kName, kPadding, kValue, kOver };

  void name_octet(char c);
  void take_field();

  static constexpr size_t kNameOctets = 16;  // longer than every name of interest
  Place place_ = Place::kLineStart;
  char name_[kNameOctets] = {};
  size_t name_size_ = 0;
  bool any_field_ = false;
  bool headless_ = false;
  bool has_date_ = false;
  bool has_message_id_ = false;
  bool has_from_ = false;
  size_t hops_ = 0;
  size_t octets_ = 0;
};

}  // namespace relay::smtp
