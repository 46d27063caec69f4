#include "relay/smtp/data_writer.h"

#include <cstring>

#include "conf/vocab/check.h"

namespace relay::smtp {

namespace {

constexpr std::string_view kLineDot = "\r\n.";

bool ends_line(std::string_view text) { return text.size() >= 2 && text.substr(text.size() - 2) == "\r\n"; }

// Where a line begins with a dot, from `from` on; npos when none does. memmem: measured faster than a search
// per line.
size_t next_line_dot(std::string_view text, size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const char* begin = text.data() + from;
  const void* found = memmem(begin, text.size() - from, kLineDot.data(), kLineDot.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data()) + 2;
}

// Calls append(offset, length) for the runs of `text` and puts a dot between them. `text` begins a line.
template <typename Append>
void stuff(std::string_view text, OutQueue* out, Append append) {
  size_t sent = 0;
  size_t dot = !text.empty() && text.front() == '.' ? 0 : next_line_dot(text, 0);
  while (dot != std::string_view::npos) {
    if (dot > sent) append(sent, dot - sent);
    out->append(".");
    sent = dot;
    dot = next_line_dot(text, dot);
  }
  if (sent < text.size()) append(sent, text.size() - sent);
}

}  // namespace

void write_data(std::string_view prefix, const conf::Bytes& body, OutQueue* out) {
  CHECK(prefix.empty() || ends_line(prefix));
  stuff(prefix, out, [&](size_t offset, size_t length) { out->append(prefix.substr(offset, length)); });
  const std::string_view text = body.view();
  stuff(text, out, [&](size_t offset, size_t length) { out->append_shared(body, offset, length); });
  const bool line_open = !text.empty() && !ends_line(text);
  out->append(line_open ? "\r\n.\r\n" : ".\r\n");
}

void write_chunk(std::string_view prefix, const conf::Bytes& body, OutQueue* out) {
  out->append(prefix);
  if (body.size() > 0) out->append_shared(body, 0, body.size());
}

}  // namespace relay::smtp
