// Slips of the pen: which known word was meant. Used for keys of the configuration and for commands.
#pragma once

#include <string>
#include <vector>

namespace conf {

// The word that `text` most likely was meant to be; empty when none is near. O(length of text x length of all
// words).
std::string nearest(const std::string& text, const std::vector<std::string>& words);

}  // namespace conf
