// In which charset a text is whose charset nobody says: the one in which it is valid and reads like one of
// the languages of refusals. Looks at its first octets beyond ASCII; a guess, never a failure.
#pragma once

#include <string_view>

namespace bounce::report {

// A name for iconv. `text` has octets above 127 and is no UTF-8. "windows-1252" when nothing reads better.
const char* guess_charset(std::string_view text);

}  // namespace bounce::report
