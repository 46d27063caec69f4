#include "bench/sink/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
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

int64_t now_us() { return conf::SystemClock().now().time_since_epoch().count(); }

}  // namespace

Server::Server(SinkOptions options, Scenario scenario)
    : options_(std::move(options)),
      random_(options_.seed),
      scenario_(std::move(scenario)),
      buffer_(kBufferBytes) {}

Server::~Server() {
  for (const auto& session : sessions_)
    if (session) ::close(session->fd);
  for (const auto& [fd, site] : listeners_) ::close(fd);
  if (count_fd_ >= 0) ::close(count_fd_);
  if (epoll_ >= 0) ::close(epoll_);
}

conf::Status Server::start() {
  const conf::Status descriptors =
      want_descriptors(options_.max_connections + options_.listen.size() + scenario_.groups.size() + 64);
  if (!descriptors) return descriptors;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0)
    return conf::Error{conf::ErrorCode::kIo, std::string("epoll_create1: ") + std::strerror(errno)};
  for (const Group& group : scenario_.groups)
    sites_.push_back(std::make_unique<Site>(group, scenario_.seed, conf::SystemClock().now()));
  for (const std::string& address : options_.listen) {
    const conf::Status listening = listen(address, sites_.empty() ? nullptr : sites_.front().get());
    if (!listening) return listening;
  }
  for (size_t i = 0; i < sites_.size() && options_.listen.empty(); ++i) {
    for (const std::string& address : scenario_.groups[i].addresses) {
      const conf::Status listening = listen(address + ":" + std::to_string(scenario_.port), sites_[i].get());
      if (!listening) return listening;
    }
  }
  if (!options_.ids_path.empty()) {
    const conf::Status opened = ids_.open(options_.ids_path);
    if (!opened) return opened;
  }
  if (!options_.count_path.empty()) {
    count_fd_ = ::open(options_.count_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (count_fd_ < 0)
      return conf::Error{conf::ErrorCode::kIo, options_.count_path + ": " + std::strerror(errno)};
    write_count(now_us(), true);
  }
  return conf::success();
}

conf::Status Server::listen(const std::string& text, Site* site) {
  const conf::Result<SocketAddress> address = parse_socket_address(text);
  if (!address) return address.error();
  const conf::Result<int> fd = listen_on(address.value());
  if (!fd) return fd.error();
  listeners_.emplace(fd.value(), site);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd.value();
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd.value(), &event);
  return conf::success();
}

void Server::run(const volatile std::sig_atomic_t* stop) {
  epoll_event events[256];
  while (*stop == 0) {
    const int count = epoll_wait(epoll_, events, 256, wait_ms(now_us()));
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (const auto listener = listeners_.find(fd); listener != listeners_.end()) {
        accept_all(fd, listener->second);
        continue;
      }
      Session* session = sessions_[static_cast<size_t>(fd)].get();
      if (session == nullptr) continue;
      if ((events[i].events & EPOLLOUT) != 0 && !write_out(session)) continue;
      if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) readable(session);
    }
    const int64_t now = now_us();
    answer_due(now);
    write_count(now, false);
  }
  write_count(now_us(), true);
}

void Server::accept_all(int listener, Site* site) {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd =
        accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
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
    ++tally_.connections;
    tally_.max_open = std::max(tally_.max_open, ++tally_.open);
    if (sessions_.size() <= static_cast<size_t>(fd)) sessions_.resize(static_cast<size_t>(fd) + 64);
    auto session = std::make_unique<Session>(fd, options_, &tally_, &random_);
    session->serial = next_serial_++;
    if (site != nullptr) session->receiver.visit(site, host_text(peer));
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
}

void Server::readable(Session* session) {
  if (session->delayed || !session->output.empty()) return;
  const ssize_t size = ::read(session->fd, buffer_.data(), buffer_.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return close_session(session);
  take(session, std::string_view(buffer_.data(), static_cast<size_t>(size)));
  write_out(session);
}

void Server::take(Session* session, std::string_view bytes) {
  Receiver& receiver = session->receiver;
  receiver.set_now(conf::SystemClock().now());
  while (!bytes.empty() && !receiver.finished() && !session->delayed) {
    bytes.remove_prefix(receiver.feed(bytes, &session->output));
    if (receiver.message_taken()) {
      if (!receiver.message_id().empty()) ids_.add(receiver.message_id());
      for (const uint32_t slot : receiver.slots()) id_count_.add(receiver.message_id(), slot);
      if (!receiver.reply_lost()) session->output.append(Receiver::accept_reply());
    }
    hold(session, bytes);
  }
  // An id is in the file before its 250 is on the wire.
  if (!ids_.flush()) std::fprintf(stderr, "penstock-sink: id file: %s\n", std::strerror(errno));
}

// When the receiver thinks first: what it says, and what the sender has said since, wait.
void Server::hold(Session* session, std::string_view unread) {
  size_t from = 0;
  const conf::Duration pause = session->receiver.pause(&from);
  if (pause.count() == 0) return;
  session->delayed = true;
  session->held = session->output.substr(from);
  session->output.resize(from);
  session->unread.assign(unread);
  due_.push({now_us() + pause.count(), session->fd, session->serial});
}

void Server::answer_due(int64_t now) {
  while (!due_.empty() && due_.top().at_us <= now) {
    const Due due = due_.top();
    due_.pop();
    Session* session = sessions_[static_cast<size_t>(due.fd)].get();
    if (session == nullptr || session->serial != due.serial) continue;
    session->delayed = false;
    session->output.append(session->held);
    session->held.clear();
    std::string unread;
    unread.swap(session->unread);
    take(session, unread);
    write_out(session);
  }
}

bool Server::write_out(Session* session) {
  while (!session->output.empty()) {
    const ssize_t size = ::send(session->fd, session->output.data(), session->output.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) {
      close_session(session);
      return false;
    }
    session->output.erase(0, static_cast<size_t>(size));
  }
  if (session->output.empty() && session->receiver.finished() && !session->delayed) {
    close_session(session);
    return false;
  }
  watch(session);
  return true;
}

// A session whose reply waits does not read: its sender feels the brake. Level-triggered input would spin
// otherwise.
void Server::watch(Session* session) {
  const uint32_t wanted = !session->output.empty() ? static_cast<uint32_t>(EPOLLOUT)
                          : session->delayed       ? 0U
                                                   : static_cast<uint32_t>(EPOLLIN);
  if (wanted == session->watched) return;
  session->watched = wanted;
  epoll_event event{};
  event.events = wanted;
  event.data.fd = session->fd;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, session->fd, &event);
}

void Server::close_session(Session* session) {
  ::close(session->fd);
  --tally_.open;
  sessions_[static_cast<size_t>(session->fd)].reset();
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
