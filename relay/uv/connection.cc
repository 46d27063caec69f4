#include "relay/uv/connection.h"

#include <utility>

namespace relay::uv {

Connection::~Connection() {
  if (stream_ != nullptr) stream_->close();
}

void Connection::set_user(TransportUser* user) {
  stream_->user = user;
  stream_->read_on();
}

size_t Connection::unsent_bytes() const { return stream_->unsent(); }

void Connection::finish() {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->finish();
}

}  // namespace relay::uv
