// The one receiver of the tests of the walk.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/net/transport.h"

namespace relay {

// Speaks SMTP when work() is called, never from inside a call of the relay.
class FakeServer final : public Network {
 public:
  std::unique_ptr<Transport> connect(const ConnectTarget&, TransportUser* user) override;
  // False: there was nothing to say.
  bool work();

  std::string to_rcpt = "250 2.1.5 ok";
  std::map<std::string, std::string> to_rcpt_of;  // instead, for these
  std::string wire;                               // all that it heard
  std::vector<std::string> recipients;            // accepted and sent to

 private:
  friend class FakeStream;
  void hear(TransportUser* user, const std::string& bytes);
  std::deque<std::pair<TransportUser*, std::function<void()>>> waiting_;
  std::map<TransportUser*, bool> content_;
};

}  // namespace relay
