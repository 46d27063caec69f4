// What a person may have meant by a key that a table does not have: a key of another table, the word of
// another mail server, or a slip of the pen. For the parser's messages.
#pragma once

#include <string>
#include <vector>

namespace conf {

// "; ..." to be put behind "there is no key", or "". `known`: the keys of the table at hand.
std::string hint_for_key(const std::string& key, const std::vector<std::string>& known);

}  // namespace conf
