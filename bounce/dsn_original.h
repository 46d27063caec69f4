// The third part of a report: the original message, or its header (RFC 6522 §3, RFC 6533 §5).
#pragma once

#include <string>
#include <string_view>

namespace bounce {

struct ReturnedPart {
  std::string content_type;  // "text/rfc822-headers", "message/rfc822", and the "message/global" forms
  std::string content;       // CRLF line ends, lines <= 998, ends in CRLF
  bool eight_bit = false;
};

// `whole`: the message was asked for (RET=FULL). Only the header comes back when it is over 1 MB, or when its
// lines are too long or end in something else than CRLF: they could not be sent on unchanged.
ReturnedPart returned_part(std::string_view original, bool whole, bool smtputf8);

}  // namespace bounce
