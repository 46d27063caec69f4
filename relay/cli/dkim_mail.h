// What the sub-commands of `penstock dkim` read and write.
#pragma once

#include <string>

#include "conf/vocab/result.h"

namespace relay::cli {

// A message from a file, or from standard input when `path` is empty or "-". Line ends LF become CRLF; a
// message that has both is left as it is, and the signer says what it thinks of it.
struct MailFile {
  std::string text;     // with CRLF
  bool had_lf = false;  // it came with LF
};
conf::Result<MailFile> read_mail(const std::string& path);

std::string with_lf(const std::string& text);

}  // namespace relay::cli
