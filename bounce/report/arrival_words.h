// Words of a notice for a recipient that got the mail, beside one that did not: who is told of as "delivered"
// has no error. Functions of their arguments alone.
#pragma once

#include <string_view>

namespace bounce::report {

// A reply 2yz (RFC 5321 §4.2.1).
bool says_yes(std::string_view reply);
// What stands behind an address in its line says that the mail arrived, or is still on its way: "delivered",
// "250 2.0.0 Ok", "queued".
bool says_arrived(std::string_view behind);
// A line that announces such recipients in the lines below it: "Your message was delivered to:".
bool announces_arrived(std::string_view line);

}  // namespace bounce::report
