#include "bench/load/worker.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace bench::load {
namespace {

constexpr int64_t kReconnectUs = 100'000;
constexpr int64_t kTickUs = 50'000;
constexpr int64_t kSecondUs = 1'000'000;
constexpr int kEvents = 256;

}  // namespace

Worker::Worker(const LoadOptions& options, const Content& content, const SocketAddress& address, Plan* plan,
               uint32_t connections)
    : options_(options),
      content_(content),
      address_(address),
      plan_(plan),
      connections_(connections),
      closed_(connections),
      buffer_(65536) {}

Worker::~Worker() {
  if (epoll_ >= 0) ::close(epoll_);
}

conf::Status Worker::prepare() {
  if (!options_.ids_path.empty()) {
    const conf::Status opened = ids_.open(options_.ids_path, options_.id_times);
    if (!opened) return opened;
  }
  if (options_.tls != TlsMode::kNone) {
    conf::Result<std::shared_ptr<relay::tls::Context>> made =
        relay::tls::Context::client(options_.tls_ca_path);
    if (!made) return made.error();
    tls_ = made.value();
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0)
    return conf::Error{conf::ErrorCode::kIo, std::string("epoll_create1: ") + std::strerror(errno)};
  return conf::success();
}

void Worker::run(int64_t start_us, const volatile std::sig_atomic_t* stop) {
  start_us_ = progress_us_ = start_us;
  tally_.timeline.start(start_us);
  epoll_event events[kEvents];
  tick();
  while (*stop == 0 && gave_up_.empty() && !finished()) {
    wait(next_wake());
    const int count = epoll_wait(epoll_, events, kEvents, 0);
    for (int i = 0; i < count; ++i) handle(&connections_[events[i].data.u32], events[i].events);
    if (!ids_.flush()) std::fprintf(stderr, "penstock-load: id file: %s\n", std::strerror(errno));
    wake_idle();
    if (read_clock() - tick_us_ >= kTickUs || closed_ > 0) tick();
    accepted_now_.store(tally_.accepted, std::memory_order_relaxed);
    refused_now_.store(tally_.refused, std::memory_order_relaxed);
  }
  ended_us_ = read_clock();
  say_goodbye();
}

// When something is to be done without an event: a message is due, a connection is to be made.
int64_t Worker::next_wake() const {
  int64_t when = tick_us_ + kTickUs;
  if (!idle_.empty()) when = std::min(when, plan_->next_due().value_or(when));
  if (closed_ > 0)
    for (const Connection& connection : connections_)
      if (!connection.is_open()) when = std::min(when, connection.again_us);
  return when;
}

// epoll_wait() knows milliseconds only, which is too coarse for an open loop.
void Worker::wait(int64_t until_us) {
  const int64_t left = until_us - read_clock();
  if (left <= 0) return;
  pollfd ready{epoll_, POLLIN, 0};
  const timespec time{left / kSecondUs, left % kSecondUs * 1000};
  ppoll(&ready, 1, &time, nullptr);
}

void Worker::tick() {
  const int64_t now = tick_us_ = read_clock();
  if (closed_ > 0)
    for (Connection& connection : connections_)
      if (!connection.is_open() && now >= connection.again_us) connect(&connection);
  check_patience(now);
}

void Worker::check_patience(int64_t now) {
  if (!ever_up_ && now - start_us_ >= options_.connect_s * kSecondUs) {
    gave_up_ = fmt::format("{} (for {} s; is the relay running?)", tally_.trouble, options_.connect_s);
    if (tally_.trouble.empty())
      gave_up_ = fmt::format("no connection to {} in {} s", options_.to, options_.connect_s);
    return;
  }
  const bool waits = outstanding_ > 0 || (!plan_->over(now) && plan_->next_due().value_or(now) <= now);
  if (!waits) progress_us_ = now;
  if (now - progress_us_ > options_.patience_s * kSecondUs)
    gave_up_ = fmt::format("no message was answered for {} s; last trouble: {}", options_.patience_s,
                           tally_.trouble.empty() ? "none" : tally_.trouble);
}

bool Worker::next(bool pipelined, Message* message) {
  if (!again_.empty()) {
    *message = again_.front();
    again_.pop_front();
    return true;
  }
  // In an open loop a free session sends at once what would only wait behind a busy one.
  if (pipelined && options_.rate > 0 && !idle_.empty()) return false;
  const int64_t now = read_clock();
  if (!plan_->take(now, message)) return false;
  if (outstanding_++ == 0) progress_us_ = now;
  return true;
}

void Worker::answered(const Message& message, int code, std::string_view text) {
  const int64_t now = progress_us_ = read_clock();
  --outstanding_;
  tally_.count(message, code, text, now);
  if (code == 250 && !options_.ids_path.empty()) ids_.add(content_.id(message.number));
}

void Worker::connect(Connection* connection) {
  const uint32_t tag = static_cast<uint32_t>(connection - connections_.data());
  const conf::Status opened =
      connection->open(address_, epoll_, tag, options_, content_, static_cast<Supply*>(this), tls_);
  if (opened) {
    --closed_;
    return;
  }
  tally_.trouble = opened.error().detail;
  connection->again_us = read_clock() + kReconnectUs;
}

void Worker::handle(Connection* connection, uint32_t events) {
  if (!connection->is_open()) return;
  const bool was_up = connection->is_up();
  const conf::Status handled = connection->handle(events, &buffer_);
  if (!was_up && connection->is_up()) {
    ++tally_.connections;
    ever_up_ = true;
  }
  if (!handled) return lose(connection, handled.error().detail);
  note_idle(connection);
}

void Worker::note_idle(Connection* connection) {
  if (!connection->client()->idle() || connection->listed_idle) return;
  connection->listed_idle = true;
  idle_.push_back(static_cast<uint32_t>(connection - connections_.data()));
}

// Gives waiting sessions what is due now. The one that waited longest comes last: few sessions stay warm.
void Worker::wake_idle() {
  if (again_.empty() && options_.rate <= 0) return;
  while (!idle_.empty()) {
    Connection& connection = connections_[idle_.back()];
    idle_.pop_back();
    connection.listed_idle = false;
    if (!connection.is_open()) continue;
    connection.client()->wake(read_clock());
    const bool nothing = connection.client()->idle();
    const conf::Status flushed = connection.flush();
    if (!flushed) {
      lose(&connection, flushed.error().detail);
    } else {
      note_idle(&connection);
    }
    if (nothing) return;
  }
}

void Worker::lose(Connection* connection, const std::string& why) {
  const bool ended = connection->client()->ended();
  if (!ended) {
    if (connection->is_up()) ++tally_.lost_connections;
    tally_.trouble = why;
  }
  for (const Message& message : connection->client()->open_messages()) {
    again_.push_back(message);
    ++again_.back().tries;
    ++tally_.resent;
  }
  connection->close();
  connection->again_us = read_clock() + (ended ? 0 : kReconnectUs);
  ++closed_;
}

void Worker::say_goodbye() {
  for (Connection& connection : connections_) {
    if (!connection.is_open() || !connection.client()->idle()) continue;
    connection.client()->quit();
    (void)connection.flush().ok();
  }
}

}  // namespace bench::load
