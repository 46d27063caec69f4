#include "relay/uv/connection.h"

#include <utility>

#include "relay/uv/socket_address.h"

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

std::string Connection::local_address() const {
  sockaddr_storage address;
  int length = sizeof address;
  if (uv_tcp_getsockname(&stream_->tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  uint16_t port = 0;
  const std::string text = address_text(address, &port);
  return (text.find(':') == std::string::npos ? text : '[' + text + ']') + ':' + std::to_string(port);
}

}  // namespace relay::uv
