// A Transport over a Stream, which may outlive it: the last bytes still go out. For this folder. Loop
// thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "relay/net/transport.h"
#include "relay/uv/stream.h"

namespace relay::uv {

class Connection final : public Transport {
 public:
  explicit Connection(Stream* stream) : stream_(stream) {}
  ~Connection() override;
  void set_user(TransportUser* user) override;
  void write(OutQueue* out) override { stream_->write(out); }
  size_t unsent_bytes() const override;
  void start_tls(const TlsRequest& request) override { stream_->start_tls(request); }
  void pause_reading() override { stream_->read_off(); }
  void resume_reading() override { stream_->read_on(); }
  void set_deadline(conf::Instant when) override { stream_->set_deadline(when); }
  void finish() override;
  void hold(std::shared_ptr<const void> place) override { stream_->place = std::move(place); }

 private:
  Stream* stream_;  // null after finish()
};

}  // namespace relay::uv
