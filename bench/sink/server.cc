#include "bench/sink/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bench/net/socket.h"
#include "conf/vocab/time.h"

namespace bench {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;
constexpr int64_t kCountEveryUs = 100'000;

std::string host_text(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* address = peer.ss_family == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr)
                            : &reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr;
  inet_ntop(peer.ss_family, address, text, sizeof text);
  return text;
}

}  // namespace

int64_t Server::now_us() { return conf::SystemClock().now().time_since_epoch().count(); }

Server::Server(SinkOptions options, Scenario scenario)
    : options_(std::move(options)),
      random_(options_.seed),
      scenario_(std::move(scenario)),
      buffer_(kBufferBytes) {
  if (options_.time_scale != 0) scenario_.time_scale = options_.time_scale;
  if (!options_.reports_to.empty()) scenario_.reports_to = options_.reports_to;
  speed_up(&scenario_);
}

Server::~Server() {
  for (const auto& session : sessions_)
    if (session) ::close(session->fd);
  for (const auto& [fd, site] : listeners_) ::close(fd);
  if (count_fd_ >= 0) ::close(count_fd_);
  if (epoll_ >= 0) ::close(epoll_);
}

conf::Status Server::start() {
  size_t addresses = options_.listen.size();
  for (const Group& group : scenario_.groups) addresses += group.addresses.size();
  const conf::Status descriptors = want_descriptors(options_.max_connections + addresses + 64);
  if (!descriptors.ok()) return descriptors;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0)
    return conf::Error{conf::ErrorCode::kIo, std::string("epoll_create1: ") + std::strerror(errno)};
  for (const Group& group : scenario_.groups)
    sites_.push_back(std::make_unique<Site>(group, scenario_.seed, conf::SystemClock().now()));
  for (const std::string& address : options_.listen) {
    const conf::Status listening = listen(address, sites_.empty() ? nullptr : sites_.front().get());
    if (!listening.ok()) return listening;
  }
  for (size_t i = 0; i < sites_.size() && options_.listen.empty(); ++i) {
    for (const std::string& address : scenario_.groups[i].addresses) {
      const conf::Status listening = listen(address + ":" + std::to_string(scenario_.port), sites_[i].get());
      if (!listening.ok()) return listening;
    }
  }
  const conf::Status opened = open_files();
  return opened.ok() ? start_postman() : opened;
}

conf::Status Server::open_files() {
  if (!options_.ids_path.empty()) {
    const conf::Status opened = ids_.open(options_.ids_path, options_.id_times);
    if (!opened.ok()) return opened;
  }
  if (options_.count_path.empty()) return conf::success();
  count_fd_ = ::open(options_.count_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (count_fd_ < 0)
    return conf::Error{conf::ErrorCode::kIo, options_.count_path + ": " + std::strerror(errno)};
  write_count(now_us(), true);
  return conf::success();
}

conf::Status Server::start_postman() {
  if (scenario_.reports_to.empty()) return conf::success();
  const conf::Result<SocketAddress> to = parse_socket_address(scenario_.reports_to);
  if (!to.ok()) return to.error();
  const conf::Status allowed = Postman::allowed(to.value(), options_.reports_anywhere);
  if (allowed.ok()) postman_ = std::make_unique<Postman>(to.value(), options_.hostname);
  return allowed;
}

conf::Status Server::listen(const std::string& text, Site* site) {
  const conf::Result<SocketAddress> address = parse_socket_address(text);
  if (!address.ok()) return address.error();
  const conf::Result<int> fd = listen_on(address.value());
  if (!fd.ok()) return fd.error();
  listeners_.emplace(fd.value(), Listener{site, text.substr(0, text.rfind(':'))});
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd.value();
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd.value(), &event);
  return conf::success();
}

conf::Status Server::run(const volatile std::sig_atomic_t* stop) {
  epoll_event events[256];
  while (*stop == 0 && trouble_.ok()) {
    const int count = epoll_wait(epoll_, events, 256, wait_ms(now_us()));
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (const auto listener = listeners_.find(fd); listener != listeners_.end()) {
        accept_all(fd, listener->second);
        continue;
      }
      Session* session = sessions_[static_cast<size_t>(fd)].get();
      if (session == nullptr) continue;
      if (session->delayed && (events[i].events & (EPOLLHUP | EPOLLERR)) != 0) {
        close_session(session);  // reset while a slow reply was due
        continue;
      }
      if ((events[i].events & EPOLLOUT) != 0 && !write_out(session)) continue;
      if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) readable(session);
    }
    const int64_t now = now_us();
    answer_due(now);
    write_count(now, false);
  }
  write_count(now_us(), true);
  return trouble_;
}

void Server::accept_all(int listener_fd, const Listener& listener) {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd =
        accept4(listener_fd, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
      trouble_ = conf::Error{conf::ErrorCode::kLimit,
                             "no file descriptor is left for another connection, with " +
                                 std::to_string(tally_.open) + " open; allow more (ulimit -n)"};
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options_.max_connections > 0 && tally_.open >= options_.max_connections) {
      static constexpr std::string_view kBusy = "421 4.7.0 Too many connections\r\n";
      ++tally_.turned_away;
      // Lost when the peer's window is shut, which it is not on a new connection.
      (void)!::send(fd, kBusy.data(), kBusy.size(), MSG_NOSIGNAL);
      ::close(fd);
      continue;
    }
    welcome(fd, listener, listener.site == nullptr ? std::string() : host_text(peer));
  }
}

void Server::welcome(int fd, const Listener& listener, const std::string& source) {
  ++tally_.connections;
  tally_.max_open = std::max(tally_.max_open, ++tally_.open);
  if (sessions_.size() <= static_cast<size_t>(fd)) sessions_.resize(static_cast<size_t>(fd) + 64);
  auto session = std::make_unique<Session>(fd, options_, &tally_, &random_);
  session->serial = next_serial_++;
  if (listener.site != nullptr) {
    session->receiver.visit(listener.site, source, listener.address);
    if (listener.site->is_full(session->receiver.visitor())) notice_departed(session->receiver);
  }
  session->receiver.set_now(conf::SystemClock().now());
  session->receiver.greet(&session->output);
  session->watched = EPOLLIN;
  epoll_event event{};
  event.events = session->watched;
  event.data.fd = fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  Session* kept = session.get();
  sessions_[static_cast<size_t>(fd)] = std::move(session);
  hold(kept, {});
  write_out(kept);
}

// A connection that the sender has closed is over for the sender, though what it sent last may still be
// unread here. It must not make the next connection one too many.
void Server::notice_departed(const Receiver& newcomer) {
  for (const auto& session : sessions_) {
    if (!session || session->receiver.site() != newcomer.site() || !session->receiver.visitor().counted)
      continue;
    if (session->receiver.visitor().key != newcomer.visitor().key) continue;
    pollfd gone{session->fd, POLLRDHUP, 0};
    if (::poll(&gone, 1, 0) == 1) session->receiver.sender_left();
  }
}

int Server::wait_ms(int64_t now) const {
  int64_t wait = 1000;
  if (!due_.empty()) wait = std::min(wait, std::max<int64_t>(0, (due_.top().at_us - now + 999) / 1000));
  if (count_fd_ >= 0 && count_written_ != tally_.messages)
    wait = std::min<int64_t>(wait, kCountEveryUs / 1000);
  return static_cast<int>(wait);
}

void Server::write_count(int64_t now, bool force) {
  if (count_fd_ < 0 || count_written_ == tally_.messages) return;
  if (!force && now - count_time_ < kCountEveryUs) return;
  const std::string text = std::to_string(tally_.messages) + "\n";
  // The number only grows, so the file needs no truncation and is never empty.
  if (::pwrite(count_fd_, text.data(), text.size(), 0) < 0) return;
  count_written_ = tally_.messages;
  count_time_ = now;
}

}  // namespace bench
