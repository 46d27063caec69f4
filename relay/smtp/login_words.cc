#include "relay/smtp/login_words.h"

#include <cstring>
#include <utility>

#include "conf/vocab/text.h"

namespace relay::smtp {

namespace {

constexpr size_t kCommandOctets = 510;  // RFC 5321 §4.5.3.1.4, without the CRLF

}  // namespace

const char* to_text(AuthMechanism mechanism) {
  switch (mechanism) {
    case AuthMechanism::kPlain:
      return "PLAIN";
    case AuthMechanism::kLogin:
      return "LOGIN";
    case AuthMechanism::kXoauth2:
      return "XOAUTH2";
  }
  return "";
}

void wipe(std::string* text) {
  explicit_bzero(text->data(), text->size());
  text->clear();
}

LoginWords::LoginWords(AuthMechanism mechanism, std::string user, std::string secret)
    : mechanism_(mechanism), user_(std::move(user)), secret_(std::move(secret)) {}

LoginWords::~LoginWords() { wipe(&secret_); }

std::string LoginWords::response() const {
  std::string plain;
  switch (mechanism_) {
    case AuthMechanism::kPlain:
      plain.append(1, '\0').append(user_).append(1, '\0').append(secret_);
      break;
    case AuthMechanism::kXoauth2:
      plain.append("user=").append(user_).append("\1auth=Bearer ").append(secret_).append("\1\1");
      break;
    case AuthMechanism::kLogin:
      plain = said_ == 0 ? user_ : secret_;
      break;
  }
  std::string text;
  text.reserve((plain.size() + 2) / 3 * 4);  // or what it grows out of would keep the secret
  conf::append_base64(plain, &text);
  wipe(&plain);
  return text;
}

std::string LoginWords::command() {
  std::string line = std::string("AUTH ") + to_text(mechanism_);
  if (mechanism_ == AuthMechanism::kLogin) return line;  // not all take the name here
  std::string first = response();
  if (line.size() + 1 + first.size() <= kCommandOctets) {
    line.append(1, ' ').append(first);
    said_ = 1;
  }
  wipe(&first);
  return line;
}

std::string LoginWords::answer() {
  const uint8_t most = mechanism_ == AuthMechanism::kLogin ? 2 : 1;
  if (said_ < most) {
    std::string text = response();
    ++said_;
    return text;
  }
  // XOAUTH2 says in a 334 why it refuses, and wants an empty line before it refuses.
  if (mechanism_ == AuthMechanism::kXoauth2 && said_++ == most) return "";
  cancelled_ = true;
  return "*";
}

}  // namespace relay::smtp
