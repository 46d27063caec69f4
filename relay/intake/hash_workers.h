// Computes crypt(3) hashes on threads of its own: a good one costs tens of milliseconds by design. Each
// client has a queue of its own, and in it each name it tries, and they take turns: who guesses much waits
// for himself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conf/vocab/secret.h"

namespace relay {

class HashWorkers {
 public:
  struct Job {
    std::string client;  // client_key(), or what stands for many: who waits in one queue
    std::string user;    // who takes turns in it
    conf::Secret secret;
    std::string hash;  // what it must come to
    std::function<void(bool good)> done;
  };

  // `post` runs work on the loop's thread. At least two threads, at most eight: one for each core.
  explicit HashWorkers(std::function<void(std::function<void()>)> post);
  ~HashWorkers();  // waits for the jobs under way; the rest is dropped, their `done` never runs

  // False: too many wait, of this client and user (8), of this client (256) or of all (4096). Loop thread.
  bool submit(Job job);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace relay
