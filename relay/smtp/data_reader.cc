#include "relay/smtp/data_reader.h"

#include <cstring>

#include "conf/vocab/check.h"

namespace relay::smtp {

namespace {
constexpr std::string_view kCrLf = "\r\n";

// Position of `c` in text[from, to), or `to`. memchr is vectorised in every libc we run on.
size_t find_octet(std::string_view text, size_t from, size_t to, char c) {
  const void* found = std::memchr(text.data() + from, c, to - from);
  return found == nullptr ? to : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}
}  // namespace

DataReader::Step DataReader::step(std::string_view input) {
  CHECK(!input.empty());
  const char c = input.front();
  switch (place_) {
    case Place::kLineStart:
      if (framing_ == Framing::kDots && c == '.') {
        place_ = Place::kDot;
        return {1, {}, false, 0};
      }
      break;
    case Place::kDot:  // the dot is dropped unless the line holds nothing else
      if (c == '\r') {
        place_ = Place::kDotCr;
        return {1, {}, false, 0};
      }
      if (c == '\n') return lone_dot_line();
      break;
    case Place::kDotCr:
      if (c != '\n') return bare_cr();
      if (!after_crlf_) return lone_dot_line();
      return {1, {}, true, 0};
    case Place::kCr:
      if (c != '\n') return bare_cr();
      lengthen_line(kCrLf.size());
      end_line(true);
      return give(1, kCrLf);
    case Place::kText:
      break;
  }
  return text(input);
}

// Takes as many lines as stand in the input without needing a change: one slice for all of them.
DataReader::Step DataReader::text(std::string_view input) {
  place_ = Place::kText;
  if (input.front() == '\n') return bare_lf();
  size_t line = 0;  // where the current line begins
  for (uint32_t lines = 1;; ++lines) {
    const size_t lf = find_octet(input, line, input.size(), '\n');
    const size_t cr = find_octet(input, line, lf, '\r');
    if (cr == lf) {  // no CR: a bare LF, handled by the next step, or the end of the input
      lengthen_line(lf - line);
      return give(lf, input.substr(0, lf), lines);
    }
    if (cr + 1 != lf || lf == input.size()) {  // CR whose next octet is unknown or wrong: the next step tells
      lengthen_line(cr - line);
      place_ = Place::kCr;
      return give(cr + 1, input.substr(0, cr), lines);
    }
    lengthen_line(lf + 1 - line);
    end_line(true);
    line = lf + 1;
    const bool dot_next = framing_ == Framing::kDots && line < input.size() && input[line] == '.';
    if (line == input.size() || dot_next || lines == kStepLines)
      return give(line, input.substr(0, line), lines);
    place_ = Place::kText;
    if (input[line] == '\n') return give(line, input.substr(0, line), lines);
  }
}

// A line that holds only a dot, ended or begun by a bare newline. It never ends the message.
DataReader::Step DataReader::lone_dot_line() {
  const bool genuine = bounds_.lf_only && !any_crlf_ && place_ == Place::kDot;
  if (genuine && bounds_.bare_newline == conf::BareNewline::kConvert) return {1, {}, true, 0};
  if (bounds_.bare_newline == conf::BareNewline::kRefuse) {
    refuse(Fault::kBareNewline);
    ambiguous_end_ = true;
  }
  const bool by_crlf = place_ == Place::kDotCr;
  end_line(by_crlf);
  return give(1, ".\r\n");  // kept as text: whoever sends it on doubles the dot again
}

DataReader::Step DataReader::bare_lf() {
  if (bounds_.bare_newline == conf::BareNewline::kRefuse) refuse(Fault::kBareNewline);
  end_line(false);
  return give(1, kCrLf);
}

DataReader::Step DataReader::bare_cr() {
  if (bounds_.bare_newline == conf::BareNewline::kRefuse) refuse(Fault::kBareNewline);
  place_ = Place::kText;
  lengthen_line(1);
  return give(0, " ");
}

DataReader::Step DataReader::give(size_t consumed, std::string_view body, uint32_t lines) {
  body_octets_ += body.size();
  if (body_octets_ > bounds_.message_octets) refuse(Fault::kTooBig);
  if (fault_ != Fault::kNone) body = {};
  return {consumed, body, false, lines};
}

void DataReader::lengthen_line(size_t octets) {
  line_octets_ += octets;
  if (line_octets_ > bounds_.line_octets) refuse(Fault::kLongLine);
}

void DataReader::end_line(bool by_crlf) {
  place_ = Place::kLineStart;
  after_crlf_ = by_crlf;
  any_crlf_ = any_crlf_ || by_crlf;
  line_octets_ = 0;
}

std::string_view DataReader::finish() {
  CHECK(framing_ == Framing::kChunks);
  std::string_view rest;
  if (place_ == Place::kCr) {
    if (bounds_.bare_newline == conf::BareNewline::kRefuse) refuse(Fault::kBareNewline);
    rest = " \r\n";
  } else if (place_ == Place::kText) {
    rest = kCrLf;  // RFC 3030 lets a message end inside a line; DATA to the next hop could not carry that
  }
  end_line(true);
  return give(0, rest).body;
}

void DataReader::refuse(Fault fault) {
  if (fault_ == Fault::kNone) fault_ = fault;
}

}  // namespace relay::smtp
