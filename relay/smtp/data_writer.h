// DataWriter: a message body on its way to the wire, by DATA (RFC 5321 §4.5.2) or by BDAT (RFC 3030).
#pragma once

#include <string_view>

#include "conf/vocab/bytes.h"
#include "relay/net/out_queue.h"

namespace relay::smtp {

// Appends `prefix` (empty or CRLF-terminated) and `body`, a dot added before each line that begins with one,
// then the end of data: the whole ends in exactly one CRLF.CRLF. Line ends are CRLF only; anything else is
// opaque. The runs between added dots are shared, not copied. A big body is looked through piece by piece,
// when what stands before it in `out` is sent.
void write_data(std::string_view prefix, const conf::Bytes& body, OutQueue* out);

// The content as it is, for BDAT: exactly prefix.size() + body.size() octets.
void write_chunk(std::string_view prefix, const conf::Bytes& body, OutQueue* out);

}  // namespace relay::smtp
