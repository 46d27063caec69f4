// Checks AUTH secrets against crypt(3) hashes on a thread of its own: a good hash costs tens of milliseconds
// by design.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conf/config.h"

namespace relay {

class Authenticator {
 public:
  // `post` runs work on the loop's thread (uv::Loop::post).
  explicit Authenticator(std::function<void(std::function<void()>)> post);
  ~Authenticator();  // waits for the check under way; the rest is dropped, their `done` never runs

  // `done(good)` runs on the loop's thread. An unknown user costs as much time as a known one (the hash of
  // another is computed). More than 256 waiting: done(false) at once, said on stderr at most once a minute.
  void check(conf::ConfigPtr config, std::string user, std::string secret, std::function<void(bool)> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// "$y$..." of a secret with a fresh salt, for `penstock hash-password`; empty when crypt(3) cannot hash it
// (longer than 511 octets, no such method in the system's library). Any thread.
std::string hash_secret(const std::string& secret);

}  // namespace relay
