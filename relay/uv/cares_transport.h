// Carries DNS questions with c-ares on the loop: UDP, TCP when an answer is cut, several servers, retries.
// The next server is asked after every kind of failure, FORMERR too. Against forged answers the source ports
// change every few questions, and the letters of a question have a random case that the answer must have too,
// as long as the name servers send it back; one in another case is asked for again by TCP.
#pragma once

#include <memory>
#include <string>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "mx/dns/resolver.h"
#include "relay/uv/loop.h"

namespace relay::uv {

class CaresTransport final : public mx::DnsTransport {
 public:
  // settings.servers empty: those of /etc/resolv.conf. kInvalid names the server that is no address.
  static conf::Result<std::unique_ptr<mx::DnsTransport>> open(Loop* loop, const conf::DnsSettings& settings);
  ~CaresTransport() override;  // questions under way end without an answer
  void ask(const std::string& name, mx::RecordType type, Done done) override;

 private:
  struct State;
  explicit CaresTransport(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace relay::uv
