// Where mail is said in seven bits, off the loop: for a message of many megabytes that takes longer than a
// step of the loop may. Loop thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "conf/vocab/bytes.h"
#include "relay/walk/seven_bit.h"

namespace relay {

class MailConverter {
 public:
  virtual ~MailConverter() = default;
  // What to_seven_bit() makes of it.
  using Done = std::function<void(std::optional<std::string>)>;
  // `done` runs inside drain_completions(). There are no more at once than there are connections.
  virtual void submit(conf::Bytes mail, SignedParts signed_parts, Done done) = 0;
  virtual size_t drain_completions() = 0;
};

}  // namespace relay
