#include "relay/smtp/data_writer.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "conf/vocab/check.h"

namespace relay::smtp {

namespace {

constexpr std::string_view kLineDot = "\r\n.";
constexpr size_t kPieceOctets = 128 << 10;  // below a millisecond of a loop's time, whatever they hold

bool ends_line(std::string_view text) { return text.size() >= 2 && text.substr(text.size() - 2) == "\r\n"; }

// Where a line begins with a dot, from `from` on; npos when none does before the end of `text`. memmem:
// measured faster than a search per line.
size_t next_line_dot(std::string_view text, size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const char* begin = text.data() + from;
  const void* found = memmem(begin, text.size() - from, kLineDot.data(), kLineDot.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data()) + 2;
}

// Calls append(offset, length) for the runs of `text` from `from` on, and puts a dot between them. `text`
// begins a line.
template <typename Append>
void stuff(std::string_view text, size_t from, OutQueue* out, Append append) {
  size_t sent = from;
  const bool begins_with_dot = from == 0 && !text.empty() && text.front() == '.';
  size_t dot = begins_with_dot ? 0 : next_line_dot(text, from < 2 ? 0 : from - 2);
  while (dot != std::string_view::npos) {
    if (dot > sent) append(sent, dot - sent);
    out->append(".");
    sent = dot;
    dot = next_line_dot(text, dot);
  }
  if (sent < text.size()) append(sent, text.size() - sent);
}

void stuff_body(const conf::Bytes& body, size_t from, size_t end, OutQueue* out) {
  stuff(body.view().substr(0, end), from, out,
        [&](size_t offset, size_t length) { out->append_shared(body, offset, length); });
}

// A big body: looked through while it is sent, not before. One of lines with a dot would stop the loop for
// seconds, and be copied whole.
class StuffedBody final : public OutQueue::Source {
 public:
  explicit StuffedBody(const conf::Bytes& body) : body_(body) {}
  size_t left() const override { return body_.size() - made_; }
  void make_some(OutQueue* out) override {
    const size_t end = std::min(made_ + kPieceOctets, body_.size());
    stuff_body(body_, made_, end, out);
    made_ = end;
  }

 private:
  const conf::Bytes body_;
  size_t made_ = 0;
};

}  // namespace

void write_data(std::string_view prefix, const conf::Bytes& body, OutQueue* out) {
  CHECK(prefix.empty() || ends_line(prefix));
  stuff(prefix, 0, out, [&](size_t offset, size_t length) { out->append(prefix.substr(offset, length)); });
  if (body.size() <= kPieceOctets) {
    stuff_body(body, 0, body.size(), out);
  } else {
    out->append_source(std::make_unique<StuffedBody>(body));
  }
  const std::string_view text = body.view();
  const bool line_open = !text.empty() && !ends_line(text);
  out->append(line_open ? "\r\n.\r\n" : ".\r\n");
}

void write_chunk(std::string_view prefix, const conf::Bytes& body, OutQueue* out) {
  out->append(prefix);
  if (body.size() > 0) out->append_shared(body, 0, body.size());
}

}  // namespace relay::smtp
