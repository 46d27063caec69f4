// Which logins were good lately, and how many were wrong: so that an application that logs in for every mail
// is hashed once in five minutes, and a guesser is not looked at any more. Bounded; pure; loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "conf/vocab/time.h"

namespace relay {

struct LoginBounds {
  uint32_t of_login = 10;    // wrong ones in ten minutes, of one client for one name
  uint32_t of_client = 100;  // of one client
  uint32_t of_user = 200;    // for one name, of all clients
};

class LoginHistory {
 public:
  using Digest = std::array<uint8_t, 32>;  // of name, secret and the hash that it was compared with

  void set_bounds(LoginBounds bounds) { bounds_ = bounds; }
  // This very secret was found right within the last five minutes.
  bool verified(const Digest& digest, conf::Instant now);
  // How to treat the next secret. kNone: too many were wrong, do not look. A client that has logged in under
  // this name within a day is given ten times as much for it, and strangers who guess the name elsewhere are
  // no matter of its. kOnce: so many strangers were wrong about the name that each of them is looked at once
  // in ten minutes only, and all of them one after the other: guessers cannot lock its owner out, wherever he
  // comes from, and gain one guess with each address.
  enum class Look : uint8_t { kFree, kOnce, kNone };
  Look look(const std::string& client, const std::string& user, conf::Instant now);
  void good(const Digest& digest, const std::string& client, const std::string& user, conf::Instant now);
  void wrong(const std::string& client, const std::string& user, conf::Instant now);

 private:
  struct DigestHash {
    size_t operator()(const Digest& digest) const;
  };
  struct Wrong {
    uint32_t count = 0;
    conf::Instant until;
  };
  uint32_t wrong_of(const std::string& key, conf::Instant now) const;
  void add_wrong(const std::string& key, conf::Instant now);

  LoginBounds bounds_;
  std::unordered_map<Digest, conf::Instant, DigestHash> verified_;  // until when
  std::unordered_map<std::string, conf::Instant> known_;            // client and user: until when
  std::unordered_map<std::string, Wrong> wrong_;
};

}  // namespace relay
