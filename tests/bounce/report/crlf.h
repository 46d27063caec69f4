// Mails of the tests stand in files with LF alone.
#pragma once

#include <string>

namespace bounce::report {

inline std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace bounce::report
