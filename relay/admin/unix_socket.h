// A stream socket with a path in the file system: listening and connecting. Any thread.
#pragma once

#include <string>

#include "conf/vocab/result.h"

namespace relay::admin {

// Listens at `path` with mode 0660, from the moment it exists. A socket file on which nobody answers is
// replaced; a live one (kRefused) or a file of another kind (kInvalid) is left alone and named. The caller
// closes the descriptor.
conf::Result<int> listen_at(const std::string& path);

// Connects; each read and write after waits at most `timeout_seconds`. The error says what to check.
conf::Result<int> connect_to(const std::string& path, int timeout_seconds);

}  // namespace relay::admin
