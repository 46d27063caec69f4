#include "bench/load/template.h"

#include <algorithm>

namespace bench::load {
namespace {

constexpr std::string_view kLine =
    "The quick brown fox jumps over the lazy dog and runs back into the woods, ok\r\n";
constexpr size_t kSharedFrom = 1024;  // below, a copy is cheaper than a part of its own in writev()

}  // namespace

const char kDefaultTemplate[] =
    "From: Load <{from}>\r\nTo: {recipient}\r\nDate: {date}\r\nSubject: Load message {number}\r\n"
    "Message-ID: <{id}@load.test>\r\nX-Load-Id: {id}\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n\r\n{filler}\r\n";

std::string make_filler(uint64_t bytes) {
  std::string filler;
  filler.reserve(bytes + kLine.size());
  while (filler.size() < bytes) filler.append(kLine);
  return filler;
}

std::string Template::value(const Piece& piece, const Filling& filling, conf::Random* random) {
  switch (piece.field) {
    case Field::kRecipient:
      return std::string(filling.local).append("@").append(filling.domain);
    case Field::kLocal:
      return std::string(filling.local);
    case Field::kDomain:
      return std::string(filling.domain);
    case Field::kFrom:
      return std::string(filling.from);
    case Field::kNumber:
      return std::string(filling.number);
    case Field::kId:
      return std::string(filling.id);
    case Field::kDate:
      return std::string(filling.date);
    case Field::kRandom: {
      std::string digits;
      while (digits.size() < piece.digits) digits.push_back("0123456789abcdef"[random->below(16)]);
      return digits;
    }
    case Field::kLiteral:
    case Field::kFiller:
      break;
  }
  return {};
}

void Template::write(const Filling& filling, bool stuffed, conf::Random* random, Output* out) const {
  std::vector<std::string> values;
  values.reserve(pieces_.size());
  uint64_t fixed_bytes = 0;
  for (const Piece& piece : pieces_) {
    values.push_back(value(piece, filling, random));
    fixed_bytes += piece.text.size() + values.back().size();
  }
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    if (piece.field == Field::kFiller) {
      write_filler(filling.size_bytes > fixed_bytes ? filling.size_bytes - fixed_bytes : 0, out);
    } else if (piece.field != Field::kLiteral) {
      if (stuffed && piece.at_line_start && values[i][0] == '.') out->add(".");
      out->add(values[i]);
    } else if (const std::string& text = stuffed ? piece.stuffed : piece.text; text.size() >= kSharedFrom) {
      out->add_shared(text);
    } else {
      out->add(text);
    }
  }
}

// Whole lines are shared, the rest is a shorter line.
void Template::write_filler(uint64_t bytes, Output* out) const {
  bytes = std::clamp<uint64_t>(bytes, 3, filler_.size());
  uint64_t whole = bytes / kLine.size() * kLine.size();
  if (bytes - whole > 0 && bytes - whole < 3) whole -= std::min<uint64_t>(whole, kLine.size());
  out->add_shared(filler_.substr(0, whole));
  for (uint64_t left = bytes - whole; left > 0;) {
    const uint64_t line = left > kLine.size() ? left - 3 : left;  // 79 or 80 left: a line and "x"
    out->add(std::string(line - 2, 'x').append("\r\n"));
    left -= line;
  }
}

}  // namespace bench::load
