// Files as a whole. Any thread; may wait for the disk. Never throws for what the file is, as streams do.
#pragma once

#include <string>

#include "conf/vocab/result.h"

namespace conf {

// Why a file cannot be opened, by errno, in the words of the system; of descriptors that ran out with what to
// do.
std::string reason_text(int system_error);

// kNotFound: there is none. kRefused: we may not. kIo: it is a folder, or the disk fails. The detail is the
// reason alone, "Is a directory".
Result<std::string> read_file(const std::string& path);
// The same for what a service reads by itself, where a pipe or a device would never end: also kIo, "is no
// regular file".
Result<std::string> read_regular_file(const std::string& path);

}  // namespace conf
