// The recipient's local part where a reply says it without the domain ("550 jdoe: no such user"). Only who
// knows to whom the reply was said can tell it from the words of the reply.
#pragma once

#include <string>
#include <string_view>

namespace bounce {

// `text` with `*` for each place where `local_part` stands as a word of its own, in any case. Not where it
// may be a word of the reply: what has no letter, a single octet, and what stands in the shipped rules or
// begins as a word of theirs does ("user", "unknown"). An address that has a domain stays: the template knows
// it.
std::string without_bare_name(std::string_view text, std::string_view local_part);

// What stands before the last '@' of an address; empty when there is none.
std::string_view local_part_of(std::string_view address);

}  // namespace bounce
