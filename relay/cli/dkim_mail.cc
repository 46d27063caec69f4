#include "relay/cli/dkim_mail.h"

#include "conf/read_file.h"

namespace relay::cli {

conf::Result<MailFile> read_mail(const std::string& path) {
  const bool from_input = path.empty() || path == "-";
  conf::Result<std::string> text = conf::read_file(from_input ? "/dev/stdin" : path);
  if (!text.ok())
    return conf::Error{conf::ErrorCode::kIo, "cannot read " + path + ": " + text.error().detail};
  MailFile mail;
  mail.text = std::move(text).value();
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
