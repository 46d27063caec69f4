// Where messages are handed in to be signed, off the loop. Loop thread, but for the wake-up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "conf/vocab/bytes.h"

namespace dkim {

struct SignOutcome {
  enum class Kind : uint8_t {
    kSigned,
    kNoKey,       // no active key for the domain of its From
    kUnsignable,  // the message itself forbids it: two From fields, none, too many fields
    kFailed,      // an engine failed, or its signature did not verify: never to be sent as it is
  };
  Kind kind = Kind::kFailed;
  std::string fields;  // kSigned: complete DKIM-Signature fields, to be put on top
  std::string detail;  // else: why, for people
  bool alarm = false;  // the self-check found a bad signature
};

class SignQueue {
 public:
  virtual ~SignQueue() = default;
  // False: there is no key at all, and nothing is to be signed.
  virtual bool enabled() const = 0;
  // Another number after the keys, or what they sign, have changed; the same when they were only read again.
  virtual uint64_t edition() const = 0;
  using Done = std::function<void(SignOutcome)>;
  // False: full; `done` was not taken; try again after the next completion. `done` runs inside
  // drain_completions().
  virtual bool submit(conf::Bytes mail, Done done) = 0;
  virtual size_t drain_completions() = 0;
};

}  // namespace dkim
