#include "relay/cli/dkim_mail.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

namespace relay::cli {

conf::Result<MailFile> read_mail(const std::string& path) {
  std::ostringstream text;
  if (path.empty() || path == "-") {
    text << std::cin.rdbuf();
  } else {
    std::ifstream file(path, std::ios::binary);
    if (file) text << file.rdbuf();
    if (!file) return conf::Error{conf::ErrorCode::kIo, "cannot read " + path + ": " + std::strerror(errno)};
  }
  MailFile mail;
  mail.text = text.str();
  if (mail.text.empty()) return conf::Error{conf::ErrorCode::kInvalid, "the message is empty"};
  if (mail.text.find('\r') != std::string::npos) return mail;
  mail.had_lf = true;
  std::string crlf;
  for (const char c : mail.text) {
    if (c == '\n') crlf += '\r';
    crlf += c;
  }
  mail.text = std::move(crlf);
  return mail;
}

std::string with_lf(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  }
  return out;
}

}  // namespace relay::cli
