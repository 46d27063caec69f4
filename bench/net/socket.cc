#include "bench/net/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace bench {
namespace {

conf::Error system_error(const std::string& what) {
  return {conf::ErrorCode::kIo, what + ": " + std::strerror(errno)};
}

}  // namespace

conf::Result<SocketAddress> parse_socket_address(std::string_view text) {
  SocketAddress out;
  out.text = std::string(text);
  const size_t colon = text.rfind(':');
  const conf::Error bad{conf::ErrorCode::kInvalid, out.text + ": not HOST:PORT with a numeric address"};
  if (colon == std::string_view::npos) return bad;
  std::string host(text.substr(0, colon));
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || port == 0) return bad;
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.length = sizeof(sockaddr_in6);
  } else {
    return bad;
  }
  return out;
}

conf::Result<int> listen_on(const SocketAddress& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error("socket");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto* name = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::bind(fd, name, address.length) != 0 || ::listen(fd, 4096) != 0) {
    const conf::Error error = system_error("cannot listen on " + address.text);
    ::close(fd);
    return error;
  }
  return fd;
}

conf::Result<int> start_connect(const SocketAddress& address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error("socket");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* name = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::connect(fd, name, address.length) != 0 && errno != EINPROGRESS) {
    const conf::Error error = system_error("cannot connect to " + address.text);
    ::close(fd);
    return error;
  }
  return fd;
}

conf::Status want_descriptors(uint64_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return system_error("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return conf::success();
  return conf::Error{conf::ErrorCode::kLimit, std::to_string(needed) +
                                                  " file descriptors are needed but only " +
                                                  std::to_string(limit.rlim_cur) + " allowed (ulimit -n)"};
}

}  // namespace bench
