#include "relay/admin/connection_watch.h"

#include <sys/socket.h>

#include <algorithm>

namespace relay::admin {

ConnectionWatch::ConnectionWatch(Limits limits) : limits_(limits), thread_([this] { watch(); }) {}

ConnectionWatch::~ConnectionWatch() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ConnectionWatch::opened(int descriptor) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    connections_[descriptor] = {State::kAsking, Clock::now()};
    make_room(descriptor);
  }
  changed_.notify_all();
}

void ConnectionWatch::working(int descriptor) { move(descriptor, State::kWorking); }
void ConnectionWatch::answering(int descriptor) { move(descriptor, State::kAnswering); }
void ConnectionWatch::answered(int descriptor) { move(descriptor, State::kAsking); }

void ConnectionWatch::closed(int descriptor) {
  const std::lock_guard<std::mutex> lock(mutex_);
  connections_.erase(descriptor);
}

void ConnectionWatch::move(int descriptor, State to) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = connections_.find(descriptor);
    if (found == connections_.end() || found->second.state == State::kEnded) return;
    found->second = {to, Clock::now()};
  }
  changed_.notify_all();
}

// Those that ended are on their way out: they hold no place.
void ConnectionWatch::make_room(int newest) {
  size_t open = 0;
  auto oldest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (it->second.state == State::kEnded) continue;
    ++open;
    if (it->second.state != State::kAsking || it->first == newest) continue;
    if (oldest == connections_.end() || it->second.since < oldest->second.since) oldest = it;
  }
  if (open > limits_.places && oldest != connections_.end()) end(oldest->first, &oldest->second);
}

// The server sees the end of the stream, and closes.
void ConnectionWatch::end(int descriptor, Connection* connection) {
  connection->state = State::kEnded;
  ::shutdown(descriptor, SHUT_RDWR);
}

ConnectionWatch::Clock::time_point ConnectionWatch::deadline(const Connection& connection) const {
  switch (connection.state) {
    case State::kAsking:
      return connection.since + limits_.request;
    case State::kAnswering:
      return connection.since + limits_.answer;
    case State::kWorking:
    case State::kEnded:
      break;
  }
  return Clock::time_point::max();
}

void ConnectionWatch::watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const Clock::time_point now = Clock::now();
    Clock::time_point next = Clock::time_point::max();
    for (auto& [descriptor, connection] : connections_) {
      const Clock::time_point last = deadline(connection);
      if (last <= now) {
        end(descriptor, &connection);
      } else {
        next = std::min(next, last);
      }
    }
    if (next == Clock::time_point::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace relay::admin
