// A receiver that runs, and a sender that talks to it line by line, for the tests of the receiver over
// sockets.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "bench/net/socket.h"
#include "bench/sink/server.h"
#include "relay/tls/session.h"

namespace bench {

// A port that is likely to be free: another for each call and each process.
inline uint16_t next_port() {
  static std::atomic<int> used{0};
  return static_cast<uint16_t>(21100 + (::getpid() * 7 + used++) % 850);
}

class RunningSink {
 public:
  // `groups` is the TOML of the groups; the port is added.
  explicit RunningSink(const std::string& groups, SinkOptions options = {}) : port(next_port()) {
    ParsedScenario parsed =
        parse_scenario("name = \"test\"\nport = " + std::to_string(port) + "\n" + groups, "test.toml");
    for (const conf::Problem& problem : parsed.problems) ADD_FAILURE() << problem.text();
    server_ = std::make_unique<Server>(std::move(options), std::move(parsed.scenario));
    const conf::Status started = server_->start();
    if (!started.ok()) ADD_FAILURE() << started.error().detail;
    signal(SIGUSR1, [](int) {});
    thread_ = std::thread([this] { (void)server_->run(&stop_).ok(); });
  }
  ~RunningSink() {
    if (thread_.joinable()) (void)stop();
  }
  // Ends it; only then may its counters be read.
  const Server& stop() {
    stop_ = 1;
    pthread_kill(thread_.native_handle(), SIGUSR1);  // epoll_wait returns
    thread_.join();
    return *server_;
  }
  PostTotals postal() const { return server_->postman()->totals(); }
  std::string address(const std::string& host = "127.1.0.1") const {
    return host + ":" + std::to_string(port);
  }

  const uint16_t port;

 private:
  volatile std::sig_atomic_t stop_ = 0;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

class Sender {
 public:
  explicit Sender(const std::string& to, int patience_ms = 5000) : patience_ms_(patience_ms) {
    const conf::Result<SocketAddress> address = parse_socket_address(to);
    const conf::Result<int> fd = start_connect(address.value());
    if (fd.ok()) fd_ = fd.value();
    pollfd up{fd_, POLLOUT, 0};
    ::poll(&up, 1, patience_ms_);
  }
  ~Sender() { close(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void write(const std::string& text) {
    std::string bytes = text;
    if (tls_) {
      (void)tls_->send(text).ok();
      bytes = std::string(tls_->pending());
      tls_->consume(bytes.size());
    }
    (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // The last line of the next reply; "" when the connection is over or nothing comes.
  std::string reply() {
    for (;;) {
      const size_t end = text_.find("\r\n");
      if (end == std::string::npos) {
        if (!read()) return {};
        continue;
      }
      const std::string line = text_.substr(0, end);
      text_.erase(0, end + 2);
      if (line.size() < 4 || line[3] != '-') return line;
    }
  }
  std::string say(const std::string& command) {
    write(command + "\r\n");
    return reply();
  }
  // The code of the answer to the first command that is refused, or to the final dot.
  std::string send_message(int recipients = 1) {
    std::string answer = say("MAIL FROM:<a@b.test>");
    for (int i = 0; i < recipients && answer[0] == '2'; ++i) answer = say("RCPT TO:<user1@c.test>");
    if (answer[0] == '2') answer = say("DATA");
    if (answer[0] == '3') answer = say("Subject: x\r\n\r\nx\r\n.");
    return answer.substr(0, 3);
  }
  // "" when TLS is on, else why not.
  std::string start_tls(const std::string& name, const std::string& ca_file = {}) {
    conf::Result<std::shared_ptr<relay::tls::Context>> context = relay::tls::Context::client(ca_file);
    relay::Transport::TlsRequest request;
    request.server_name = name;
    tls_ = relay::tls::Session::connect(context.value(), request);
    conf::Status status = tls_->receive({}, &text_);
    while (status.ok() && !tls_->established()) {
      write_pending();
      std::string bytes = raw();
      if (bytes.empty()) return "closed or silent";
      status = tls_->receive(bytes, &text_);
    }
    write_pending();
    return status.ok() ? "" : status.error().detail;
  }
  bool closed() {  // by the peer
    return reply().empty() && at_end_;
  }

 private:
  void write_pending() {
    const std::string bytes(tls_->pending());
    tls_->consume(bytes.size());
    (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  std::string raw() {
    char bytes[8192];
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, patience_ms_) != 1) return {};
    const ssize_t size = ::read(fd_, bytes, sizeof bytes);
    at_end_ = size <= 0;
    return size <= 0 ? std::string() : std::string(bytes, static_cast<size_t>(size));
  }
  bool read() {
    const std::string bytes = raw();
    if (bytes.empty()) return false;
    if (!tls_) {
      text_ += bytes;
      return true;
    }
    return tls_->receive(bytes, &text_).ok();
  }

  int fd_ = -1;
  int patience_ms_;
  bool at_end_ = false;
  std::string text_;
  std::unique_ptr<relay::tls::Session> tls_;
};

}  // namespace bench
