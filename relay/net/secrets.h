// Where the secret of a [[login]] comes from. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "conf/vocab/result.h"

namespace relay {

class Secrets {
 public:
  virtual ~Secrets() = default;
  // A password or a token; whoever gets it wipes it. The error is for people and names no secret. `done` may
  // be called within the call.
  using Done = std::function<void(conf::Result<std::string>)>;
  virtual void get(const std::string& login, Done done) = 0;
  // A server refused it: what was kept of it is asked for anew.
  virtual void refused(const std::string& login) = 0;
};

}  // namespace relay
