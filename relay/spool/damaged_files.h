// Reading the files of a database that may be damaged, on a disk that may be. Only the repair of the spool
// uses this. Any thread; waits for the disk.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"

namespace relay::spool {

// The number in a name such as "000012.log" or "MANIFEST-000005"; 0: the name is another.
uint64_t number_in(std::string_view name, std::string_view before, std::string_view behind);

// The files of a folder with such names, by number: as text a seventh digit would put them out of order.
std::map<uint64_t, std::filesystem::path> numbered_files(const std::filesystem::path& folder,
                                                         std::string_view before, std::string_view behind);

// As pread(2): octets read, 0 at the end, -1 with errno.
using ReadAt = std::function<ssize_t(char* to, size_t octets, off_t at)>;

// `size` octets; where the disk cannot read a block of 4 KB it is zeros, which is damage to whoever checks
// what he reads. Shorter when the file ends before.
std::string read_around_damage(const ReadAt& read, size_t size);

// The whole file so. An error only when it cannot be opened.
conf::Result<std::string> read_damaged_file(const std::filesystem::path& file);

}  // namespace relay::spool
