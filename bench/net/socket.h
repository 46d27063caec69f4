// TCP over loopback for the load tools: numeric addresses, listening and connecting sockets, all
// non-blocking.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"

namespace bench {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  std::string text;  // as it was written
};

// "127.0.0.1:2525", "[::1]:25" or "localhost:25".
conf::Result<SocketAddress> parse_socket_address(std::string_view text);

// A bound, listening socket. The error names the address and the system's reason (a port in use, a missing
// right).
conf::Result<int> listen_on(const SocketAddress& address);
// A socket whose connection is being made; writable when it is up or has failed (SO_ERROR).
conf::Result<int> start_connect(const SocketAddress& address);

// Raises the soft limit of file descriptors to the hard one. The error says what is missing.
conf::Status want_descriptors(uint64_t needed);

}  // namespace bench
