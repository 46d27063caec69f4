// What a client says to log in: PLAIN (RFC 4616), LOGIN, XOAUTH2, up to the reply that decides (RFC 4954).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay::smtp {

enum class AuthMechanism : uint8_t { kPlain, kLogin, kXoauth2 };
constexpr size_t kAuthMechanisms = 3;
const char* to_text(AuthMechanism mechanism);  // "PLAIN"

class AuthSet {
 public:
  bool has(AuthMechanism mechanism) const { return (bits_ >> static_cast<unsigned>(mechanism) & 1U) != 0; }
  void add(AuthMechanism mechanism) {
    bits_ = static_cast<uint8_t>(bits_ | 1U << static_cast<unsigned>(mechanism));
  }
  void add(AuthSet others) { bits_ = static_cast<uint8_t>(bits_ | others.bits_); }
  bool empty() const { return bits_ == 0; }
  bool operator==(const AuthSet&) const = default;

 private:
  uint8_t bits_ = 0;
};

// One exchange. Its texts hold the secret: whoever takes one wipes it.
class LoginWords {
 public:
  LoginWords(AuthMechanism mechanism, std::string user, std::string secret);
  ~LoginWords();
  LoginWords(const LoginWords&) = delete;
  LoginWords& operator=(const LoginWords&) = delete;

  // The AUTH command, without CRLF; with the initial response when the line may be so long.
  std::string command();
  // The answer to a 334 line, without CRLF. After what a mechanism has to say: "*", which cancels.
  std::string answer();
  AuthMechanism mechanism() const { return mechanism_; }
  bool cancelled() const { return cancelled_; }  // "*" was said: a refusal is due

 private:
  std::string response() const;  // in base64

  const AuthMechanism mechanism_;
  const std::string user_;
  std::string secret_;
  uint8_t said_ = 0;  // responses
  bool cancelled_ = false;
};

void wipe(std::string* text);  // overwrites and empties it

}  // namespace relay::smtp
