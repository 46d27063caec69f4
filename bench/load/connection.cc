#include "bench/load/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "conf/vocab/time.h"

namespace bench::load {
namespace {

constexpr size_t kParts = 64;

conf::Error system_error(const std::string& what) {
  return {conf::ErrorCode::kIo, what + std::strerror(errno)};
}

}  // namespace

int64_t read_clock() { return conf::SystemClock().now().time_since_epoch().count(); }

Connection::Connection(Connection&& other) noexcept
    : listed_idle(other.listed_idle),
      again_us(other.again_us),
      fd_(std::exchange(other.fd_, -1)),
      up_(other.up_),
      options_(other.options_),
      client_(std::move(other.client_)),
      context_(std::move(other.context_)),
      tls_(std::move(other.tls_)),
      plain_(std::move(other.plain_)) {}

conf::Status Connection::open(const SocketAddress& address, int epoll, uint32_t tag,
                              const LoadOptions& options, const Content& content, Supply* supply,
                              std::shared_ptr<relay::tls::Context> tls) {
  const conf::Result<int> fd = start_connect(address);
  if (!fd) return fd.error();
  fd_ = fd.value();
  up_ = false;
  options_ = &options;
  context_ = std::move(tls);
  client_ = std::make_unique<Client>(options, content, supply);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<uint32_t>(EPOLLET);
  event.data.u32 = tag;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) == 0) return conf::success();
  const conf::Error error = system_error("epoll_ctl: ");
  close();
  return error;
}

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  up_ = false;
  client_.reset();
  tls_.reset();
}

conf::Status Connection::handle(uint32_t events, std::vector<char>* buffer) {
  if (!up_) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
      return conf::Error{conf::ErrorCode::kUnavailable,
                         "cannot connect to " + options_->to + ": " + std::strerror(error)};
    if ((events & EPOLLOUT) == 0) return conf::success();
    up_ = true;
    if (options_->tls == TlsMode::kImplicit) {
      const conf::Status started = start_tls();
      if (!started) return started;
    }
  }
  while ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) {
    const ssize_t size = ::read(fd_, buffer->data(), buffer->size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return system_error("");
    if (size == 0) return conf::Error{conf::ErrorCode::kClosed, "the relay closed the connection"};
    const conf::Status taken = take({buffer->data(), static_cast<size_t>(size)});
    if (!taken) return taken;
    // What comes after a read that did not fill the buffer is told by a new edge; a close must be seen now.
    if (static_cast<size_t>(size) < buffer->size() && (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0)
      break;
  }
  return flush();
}

conf::Status Connection::start_tls() {
  relay::Transport::TlsRequest request;
  request.server_name = options_->tls_name;
  request.verify = !options_->tls_ca_path.empty();
  tls_ = relay::tls::Session::connect(context_, request);
  plain_.clear();
  return tls_->receive({}, &plain_);
}

conf::Status Connection::take(std::string_view bytes) {
  const auto feed = [this](std::string_view text) -> conf::Status {
    if (client_->feed(text, read_clock())) return conf::success();
    return conf::Error{conf::ErrorCode::kClosed, client_->trouble()};
  };
  if (tls_ == nullptr) {
    const conf::Status fed = feed(bytes);
    return fed && client_->wants_tls() ? start_tls() : fed;
  }
  plain_.clear();
  const conf::Status received = tls_->receive(bytes, &plain_);
  if (!received) return received;
  if (tls_->established() && client_->wants_tls()) client_->tls_up();
  if (!plain_.empty()) {
    const conf::Status fed = feed(plain_);
    if (!fed) return fed;
  }
  if (tls_->peer_closed()) return conf::Error{conf::ErrorCode::kClosed, "the relay closed the connection"};
  return conf::success();
}

conf::Status Connection::flush() {
  if (!up_) return conf::success();
  return tls_ == nullptr ? write_plain() : write_tls();
}

conf::Status Connection::write_plain() {
  Output& output = client_->output();
  iovec parts[kParts];
  while (!output.empty()) {
    const size_t count = output.gather(parts, kParts);
    const ssize_t size = ::writev(fd_, parts, static_cast<int>(count));
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("");
    output.consume(static_cast<size_t>(size));
  }
  return conf::success();
}

conf::Status Connection::write_tls() {
  Output& output = client_->output();
  for (;;) {
    // Encrypted only when the last was taken: a message is not held twice.
    while (tls_->established() && tls_->pending().empty() && !output.empty()) {
      iovec part;
      output.gather(&part, 1);
      const conf::Status sent = tls_->send({static_cast<const char*>(part.iov_base), part.iov_len});
      if (!sent) return sent;
      output.consume(part.iov_len);
    }
    const std::string_view cipher = tls_->pending();
    if (cipher.empty()) return conf::success();
    const ssize_t size = ::write(fd_, cipher.data(), cipher.size());
    if (size < 0 && errno == EAGAIN) return conf::success();
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("");
    tls_->consume(static_cast<size_t>(size));
  }
}

}  // namespace bench::load
