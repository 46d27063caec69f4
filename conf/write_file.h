// Writing to an open file, whole or not at all. Any thread; may wait for the disk.
#pragma once

#include <string_view>

namespace conf {

// All of `octets`, however many calls it takes. False: errno says why; some of it may be there.
bool write_all(int file, std::string_view octets);

}  // namespace conf
