// Sees that no client keeps a place at the admin socket from others: a request has to be here, and its answer
// taken, within a time, however slowly octets drip; and when all places are taken, the connection that has
// waited longest for its client to ask gives way. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace relay::admin {

class ConnectionWatch {
 public:
  struct Limits {
    size_t places = 64;  // connections
    std::chrono::milliseconds request{
        10'000};  // from the connection, or the last answer, to the whole request
    std::chrono::milliseconds answer{60'000};  // from the first octet of an answer to its last
  };
  explicit ConnectionWatch(Limits limits);
  ~ConnectionWatch();
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

  // Of a connection, by its descriptor. Between opened() and closed() the descriptor is open.
  void opened(int descriptor);
  void working(int descriptor);    // the request is here: what we do with it has no deadline
  void answering(int descriptor);  // the answer is on its way
  void answered(int descriptor);
  void closed(int descriptor);

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : uint8_t { kAsking, kWorking, kAnswering, kEnded };
  struct Connection {
    State state = State::kAsking;
    Clock::time_point since;  // of this state
  };

  void move(int descriptor, State to);
  void make_room(int newest);
  void end(int descriptor, Connection* connection);
  Clock::time_point deadline(const Connection& connection) const;
  void watch();

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, Connection> connections_;
  bool stopping_ = false;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace relay::admin
