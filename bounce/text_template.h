// The text of a refusal without what is personal in it, so that one failure is one row however it is
// addressed, and two failures are two. Addresses become `*`; what varies becomes a typed placeholder: #IP#,
// #DOMAIN#, #URL#, #DATE#, #PHONE#, #NUM#, #ID#. The code, enhanced statuses, and short codes of receivers
// ("TSS04", "S3150", "OFR_416", "[299]") stay: they say which failure it is. So do the names of the operators
// of block lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bounce/reply.h"

namespace bounce {

// "550 5.1.1 <*>: user unknown". Well-formed UTF-8, one line, bounded whatever the text is. Codes of our own
// programs at the front ("MTA-740010 ") go.
std::string text_template(std::string_view text);
// Of a reply: its code, and its lines joined (bounce/diagnostic.h). The local part of the recipient, where
// that is known, is `*` too (bounce/bare_name.h).
std::string text_template(const Reply& reply, std::string_view local_part = {});

// What rules read: the template without its code, folded (bounce/fold.h). A host stands as "x.x", the address
// of a page as "http://x.x", a number, date or telephone as "0", an IP address as "0.0.0.0", an id as "x0":
// no rule meets a word in a name; where a host or a page signs the reply, nothing stands. Two replies of one
// row are read the same.
std::string folded_template(std::string_view text_template);

// The key of a row: 64 bits of its template, never 0.
uint64_t row_key(std::string_view text_template);
std::string row_text(uint64_t key);  // 16 hexadecimal digits

}  // namespace bounce
