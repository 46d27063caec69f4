#include "relay/smtp/header_scan.h"
#include "conf/vocab/ascii.h"

namespace relay::smtp {

void HeaderScan::feed(std::string_view body) {
  size_t i = 0;
  while (i < body.size() && place_ != Place::kOver) {
    if (place_ == Place::kValue) {
      const size_t lf = body.find('\n', i);
      const size_t next = lf == std::string_view::npos ? body.size() : lf + 1;
      octets_ += next - i;
      i = next;
      if (lf == std::string_view::npos) return;
      place_ = Place::kLineStart;
      continue;
    }
    name_octet(body[i++]);
    ++octets_;
  }
}

void HeaderScan::name_octet(char c) {
  const bool blank = c == ' ' || c == '\t';
  if (place_ == Place::kLineStart) {
    if (blank && any_field_) {  // folded
      place_ = Place::kValue;
      return;
    }
    if (c == '\r') {  // the empty line
      place_ = Place::kOver;
      return;
    }
    name_size_ = 0;
    place_ = Place::kName;
  }
  if (c == ':' && name_size_ > 0) {
    take_field();
  } else if (blank && name_size_ > 0) {
    place_ = Place::kPadding;  // RFC 5322 §4.5: obsolete syntax has blanks before the colon
  } else if (place_ == Place::kName && c > ' ' && c < 127 && c != ':') {
    if (name_size_ < kNameOctets) name_[name_size_] = conf::ascii_lower(c);
    if (name_size_ <= kNameOctets) ++name_size_;
  } else {  // not a field: the body begins here
    headless_ = !any_field_;
    place_ = Place::kOver;
  }
}

void HeaderScan::take_field() {
  any_field_ = true;
  place_ = Place::kValue;
  if (name_size_ > kNameOctets) return;
  const std::string_view name(name_, name_size_);
  if (name == "received") ++hops_;
  if (name == "date") has_date_ = true;
  if (name == "message-id") has_message_id_ = true;
  if (name == "from") has_from_ = true;
}

}  // namespace relay::smtp
