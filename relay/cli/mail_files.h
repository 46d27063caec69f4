// Mails named on a command line: files, "-", mbox files, Maildirs and other folders.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::cli {

// The files behind `paths`, folders opened (new/ and cur/ of a Maildir, else every file below, sorted).
conf::Result<std::vector<std::string>> mail_files(const std::vector<std::string>& paths);

// The whole content; "-" is standard input. kLimit above 1 GB.
conf::Result<std::string> read_mail_file(const std::string& path);

// The mails in `content`, in order: one, or those of an mbox (RFC 4155). `is_mbox` overrides the look of it;
// a file called *.eml always holds one.
std::vector<std::string_view> mails_in(std::string_view content, std::string_view path, bool is_mbox);

}  // namespace relay::cli
