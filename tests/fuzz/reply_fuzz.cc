// Any bytes, fed in pieces, give replies within the limits or an error; the cuts change nothing.
#include <cstdint>
#include <string_view>
#include <vector>

#include "bounce/reply.h"
#include "conf/limits.h"
#include "conf/vocab/check.h"

namespace {

struct Seen {
  std::vector<bounce::Reply> replies;
  bool failed = false;
};

Seen read(std::string_view input, size_t piece) {
  Seen seen;
  bounce::ReplyParser parser;
  while (!input.empty() && !seen.failed) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    while (!part.empty()) {
      bounce::Reply reply;
      conf::Result<bool> whole = parser.feed(&part, &reply);
      if (!whole.ok()) {
        seen.failed = true;
        break;
      }
      if (*whole) seen.replies.push_back(reply);
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Seen whole = read(input, input.size() + 1);
  const Seen pieces = read(input, 1 + data[0] % 7);
  CHECK(whole.failed == pieces.failed);
  CHECK(whole.replies.size() == pieces.replies.size());
  for (size_t i = 0; i < whole.replies.size(); ++i) {
    const bounce::Reply& reply = whole.replies[i];
    CHECK(reply.code >= 200 && reply.code < 600);
    CHECK(!reply.lines.empty() && reply.lines.size() <= conf::limits::kReplyLines);
    CHECK(reply.lines == pieces.replies[i].lines && reply.code == pieces.replies[i].code);
    for (const char c : reply.text()) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  return 0;
}
