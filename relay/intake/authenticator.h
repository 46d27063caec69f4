// Checks the secrets of AUTH. One that was right lately is known by its digest; one that has to be hashed is
// hashed on other threads, the same one for many connections once; a guesser is refused unseen, and the
// owner of a name that many guess is not. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/secret.h"
#include "conf/vocab/time.h"
#include "relay/intake/secret_hash.h"
#include "relay/smtp/server_session.h"

namespace relay {

class Authenticator {
 public:
  using Done = std::function<void(smtp::AuthOutcome)>;

  // `post` runs work on the loop's thread (uv::Loop::post).
  Authenticator(const conf::Clock* clock, std::function<void(std::function<void()>)> post);
  ~Authenticator();  // waits for the checks under way; the rest is dropped, their `done` never runs

  // `done` runs on the loop's thread, perhaps inside this call. An unknown user costs as much time as a known
  // one (the hash of another is computed). `client`: client_key().
  void check(conf::ConfigPtr config, const std::string& client, const std::string& user, conf::Secret secret,
             Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace relay
