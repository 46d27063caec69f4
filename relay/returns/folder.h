// Folders of mails, and what can go wrong with them. Any thread.
#pragma once

#include <string>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::returns {

// kIo: "WHAT: what the system said"; `error` is an errno.
conf::Error io_error(const std::string& what, int error);

// For its owner alone; one that is there stays as it is.
conf::Status make_folder(const std::string& path);
// The names in it are on disk.
conf::Status sync_folder(const std::string& path);
// Of its files, in their order; names that begin with a dot are none of a Maildir's.
conf::Result<std::vector<std::string>> names_in(const std::string& path);

}  // namespace relay::returns
