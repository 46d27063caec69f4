// Writing to files so that it lasts. Any thread; may wait for the disk.
#pragma once

#include <string>
#include <string_view>

namespace conf {

// All of `octets`, however many calls it takes. False: errno says why; some of it may be there.
bool write_all(int file, std::string_view octets);

// What was made, renamed or removed in a folder stays so when the power fails. False: errno says why.
bool sync_folder(const std::string& path);

}  // namespace conf
