// A Transport that hands what is written to who derives from it, and does nothing else.
#pragma once

#include <string>

#include "relay/net/transport.h"

namespace relay {

class QuietTransport : public Transport {
 public:
  void set_user(TransportUser*) override {}
  void write(OutQueue* out) final {
    const std::string bytes = out->flatten();
    out->clear();
    hear(bytes);
  }
  size_t unsent_bytes() const override { return 0; }
  void start_tls(const TlsRequest&) override {}
  void pause_reading() override {}
  void resume_reading() override {}
  void set_deadline(conf::Instant) override {}
  void finish() override {}

 protected:
  virtual void hear(const std::string& bytes) = 0;
};

}  // namespace relay
