// Carries DNS questions with c-ares on the loop: UDP, TCP when an answer is cut, several servers, retries.
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
  explicit CaresTransport(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace relay::uv
