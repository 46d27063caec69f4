#include "bench/load/generator.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "conf/vocab/time.h"

namespace bench {
namespace {

constexpr int64_t kReconnectUs = 100'000;
constexpr int64_t kSecondUs = 1'000'000;

int64_t read_clock() { return conf::SystemClock().now().time_since_epoch().count(); }

// Text lines of 76 characters without dots, so that no dot-stuffing is needed.
std::string make_body(uint64_t bytes) {
  static constexpr char kLine[] =
      "The quick brown fox jumps over the lazy dog and runs back into the woods, ok\r\n";
  constexpr size_t kLineBytes = sizeof kLine - 1;
  std::string body;
  body.reserve(bytes + kLineBytes);
  while (body.size() + kLineBytes <= bytes) body.append(kLine, kLineBytes);
  const size_t left = bytes > body.size() ? bytes - body.size() : 0;
  if (left > 2) body.append(left - 2, 'x').append("\r\n");
  return body.empty() ? "x\r\n" : body;
}

}  // namespace

Generator::Generator(LoadOptions options) : options_(std::move(options)), buffer_(65536) {}

Generator::~Generator() {
  for (const Connection& connection : connections_)
    if (connection.fd >= 0) ::close(connection.fd);
  if (epoll_ >= 0) ::close(epoll_);
}

conf::Status Generator::start() {
  conf::Result<SocketAddress> address = parse_socket_address(options_.to);
  if (!address) return address.error();
  address_ = address.value();
  const conf::Status descriptors = want_descriptors(options_.connections + 32);
  if (!descriptors) return descriptors;

  uint32_t count = 0;
  const std::string& list = options_.domains;
  const auto parsed = std::from_chars(list.data(), list.data() + list.size(), count);
  if (parsed.ec == std::errc() && parsed.ptr == list.data() + list.size()) {
    for (uint32_t i = 1; i <= count; ++i) domains_.push_back("d" + std::to_string(i) + ".test");
  } else {
    for (size_t at = 0; at <= list.size();) {
      const size_t comma = std::min(list.find(',', at), list.size());
      if (comma > at) domains_.push_back(list.substr(at, comma - at));
      at = comma + 1;
    }
  }
  if (domains_.empty())
    return conf::Error{conf::ErrorCode::kInvalid, "--domains: no domain in '" + list + "'"};

  if (options_.prefix.empty()) options_.prefix = fmt::format("{:x}-{:x}", std::time(nullptr), getpid());
  char date[64];
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &parts);
  date_ = date;
  const uint64_t header_bytes = header(options_.messages).size();
  body_ = make_body(options_.size_bytes > header_bytes ? options_.size_bytes - header_bytes : 0);
  if (!options_.ids_path.empty()) {
    const conf::Status opened = ids_.open(options_.ids_path, options_.id_times);
    if (!opened) return opened;
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0)
    return conf::Error{conf::ErrorCode::kIo, std::string("epoll_create1: ") + std::strerror(errno)};
  connections_.resize(std::max<uint64_t>(1, std::min<uint64_t>(options_.connections, options_.messages)));
  return conf::success();
}

void Generator::run(const volatile std::sig_atomic_t* stop) {
  start_us_ = now_us_ = last_answer_us_ = progress_us_ = read_clock();
  for (Connection& connection : connections_) connect(&connection);
  epoll_event events[256];
  while (*stop == 0 && !done() && !result_.gave_up) {
    const int count = epoll_wait(epoll_, events, 256, options_.rate > 0 ? 1 : 50);
    now_us_ = read_clock();
    for (int i = 0; i < count; ++i) handle(&connections_[events[i].data.u32], events[i].events);
    if (!ids_.flush()) std::fprintf(stderr, "penstock-load: id file: %s\n", std::strerror(errno));
    tick(now_us_);
  }
  result_.seconds = static_cast<double>(read_clock() - start_us_) / 1e6;
  for (Connection& connection : connections_) {
    if (connection.fd < 0 || !connection.client->idle()) continue;
    connection.client->quit();
    write_out(&connection);
  }
}

void Generator::tick(int64_t now) {
  for (Connection& connection : connections_) {
    if (connection.fd < 0) {
      if (now >= connection.again_us) connect(&connection);
    } else if (connection.client->idle() && (options_.rate > 0 || !again_.empty())) {
      connection.client->wake();
      write_out(&connection);
    }
  }
  if (now - last_answer_us_ > options_.patience_s * kSecondUs && (options_.rate <= 0 || handed_out_ > 0))
    result_.gave_up = true;
  if (options_.progress && now - progress_us_ >= kSecondUs) show_progress(now);
}

void Generator::show_progress(int64_t now) {
  const double rate = static_cast<double>(result_.accepted - progress_accepted_) * 1e6 /
                      static_cast<double>(std::max<int64_t>(1, now - progress_us_));
  const bool terminal = isatty(STDERR_FILENO) != 0;
  fmt::print(stderr, "{}accepted {} of {}, refused {}, {:.0f}/s{}", terminal ? "\r" : "", result_.accepted,
             options_.messages, result_.refused, rate, terminal ? "   " : "\n");
  progress_us_ = now;
  progress_accepted_ = result_.accepted;
}

void Generator::connect(Connection* connection) {
  const conf::Result<int> fd = start_connect(address_);
  if (!fd) {
    result_.trouble = fd.error().detail;
    connection->again_us = now_us_ + kReconnectUs;
    return;
  }
  connection->fd = fd.value();
  connection->up = false;
  connection->client = std::make_unique<Client>(options_, static_cast<Supply*>(this));
  connection->watched = EPOLLOUT;
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.u32 = static_cast<uint32_t>(connection - connections_.data());
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd, &event);
}

void Generator::handle(Connection* connection, uint32_t events) {
  if (connection->fd < 0) return;
  if (!connection->up) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return lose(connection, "cannot connect to " + options_.to + ": " + std::strerror(error));
    connection->up = true;
    ++result_.connections;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    const ssize_t size = ::read(connection->fd, buffer_.data(), buffer_.size());
    if (size < 0 && errno != EAGAIN) return lose(connection, std::strerror(errno));
    if (size == 0) return lose(connection, "the relay closed the connection");
    if (size > 0) {
      last_answer_us_ = now_us_;
      if (!connection->client->feed(std::string_view(buffer_.data(), static_cast<size_t>(size))))
        return lose(connection, connection->client->last_reply());
    }
  }
  write_out(connection);
}

void Generator::lose(Connection* connection, const std::string& why) {
  ++result_.lost_connections;
  result_.trouble = why;
  for (const Message& message : connection->client->open_messages()) {
    again_.push_back(message);
    ++result_.resent;
  }
  ::close(connection->fd);
  connection->fd = -1;
  connection->client.reset();
  connection->again_us = now_us_ + kReconnectUs;
}

bool Generator::write_out(Connection* connection) {
  Output& output = connection->client->output();
  while (connection->up && !output.empty()) {
    iovec parts[3] = {{output.before.data(), output.before.size()},
                      {const_cast<char*>(output.body.data()), output.body.size()},
                      {output.after.data(), output.after.size()}};
    const ssize_t size = ::writev(connection->fd, parts, 3);
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) {
      lose(connection, std::strerror(errno));
      return false;
    }
    size_t left = static_cast<size_t>(size);
    const size_t first = std::min(left, output.before.size());
    output.before.erase(0, first);
    left -= first;
    const size_t second = std::min(left, output.body.size());
    output.body.remove_prefix(second);
    left -= second;
    output.after.erase(0, left);
  }
  const uint32_t wanted = EPOLLIN | (connection->up && output.empty() ? 0U : static_cast<uint32_t>(EPOLLOUT));
  if (wanted != connection->watched) {
    connection->watched = wanted;
    epoll_event event{};
    event.events = wanted;
    event.data.u32 = static_cast<uint32_t>(connection - connections_.data());
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection->fd, &event);
  }
  return true;
}

}  // namespace bench
