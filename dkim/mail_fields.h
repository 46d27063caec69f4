// A message as signing sees it: its header fields and its body, borrowed from the caller's bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/result.h"

namespace dkim {

struct Field {
  std::string_view name;   // as written, without white space before the colon
  std::string_view whole;  // name, colon and value with its folding, without the last CRLF
  std::string_view value() const;
};

struct MailFields {
  std::vector<Field> fields;  // from the top
  std::string_view body;      // after the empty line; empty when there is none
};

// Takes the header apart. kInvalid: a line end that is not CRLF (RFC 6376 §5.3 leaves no way to sign it so
// that it still holds after the next hop), a line that is no field, or no field at all. The body is not
// looked at. O(header).
conf::Result<MailFields> split_mail(std::string_view mail);

// The domain of the author: of the one From field, of its first mailbox (RFC 6376 §3.11 leaves the choice),
// in canonical form (A-labels, lower case). kNotFound: no From. kInvalid: two of them (RFC 5322 §3.6 allows
// one, and verifiers differ on which they show), or no mailbox in it.
conf::Result<std::string> from_domain(const MailFields& mail);

}  // namespace dkim
