// Who hears that something is wrong with a server. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "relay/flow/dispatcher_user.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path.h"

namespace relay {

class ServerTroubles {
 public:
  using Hear = std::function<void(const queue::Path&, const ServerTrouble&)>;
  explicit ServerTroubles(Hear hear) : hear_(std::move(hear)) {}  // may be null: nobody

  // A target without an address: no one host is to blame.
  void tell(const queue::Path& path, const Target& target, bounce::Stage stage, std::string text) const {
    if (!hear_) return;
    std::string address = target.address.empty() ? std::string() : address_text(target);
    hear_(path, {stage, target.host, std::move(address), std::move(text)});
  }

 private:
  Hear hear_;
};

}  // namespace relay
