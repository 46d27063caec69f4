// The words of the notice and the message that came back with it, taken apart: by MIME where the mail has
// parts, by marks and header fields in the text where it has none.
#pragma once

#include <string>
#include <string_view>

#include "bounce/report/mime_reader.h"

namespace bounce::report {

struct Notice {
  // UTF-8, of the mail system; without the returned message, its subject and what it says word for word.
  std::string text;
  std::string original;  // the returned message, or what there is of it; may be empty
  bool has_original = false;
  bool has_status = false;    // a part is message/delivery-status
  bool has_feedback = false;  // a part is message/feedback-report
};

// Looks at the parts of `mail` that stand before the returned message; at most
// 64 KB of text and 64 KB of the message.
Notice read_notice(const Mail& mail);

// Where in a plain text the returned message begins (its mark, or its header), or the length of the text.
// `*header` gets where its header begins.
size_t find_original(std::string_view text, size_t* header);

}  // namespace bounce::report
