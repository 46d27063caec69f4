// One thread of the generator: its sessions on one epoll loop. Connects again after a loss; a message whose
// connection was lost without an answer is sent again with the same id, as a mail client would.
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/connection.h"
#include "bench/load/plan.h"
#include "bench/load/tally.h"
#include "bench/net/id_file.h"

namespace bench::load {

class Worker final : private Supply {
 public:
  Worker(const LoadOptions& options, const Content& content, const SocketAddress& address, Plan* plan,
         uint32_t connections);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  conf::Status prepare();
  // Until every message has an answer, patience is over, or *stop is not 0. On a thread of its own.
  void run(int64_t start_us, const volatile std::sig_atomic_t* stop);

  const Tally& tally() const { return tally_; }
  uint64_t unanswered() const { return outstanding_; }
  const std::string& gave_up() const { return gave_up_; }  // why; empty: it did not
  int64_t ended_us() const { return ended_us_; }
  // From any thread, while it runs.
  uint64_t accepted_now() const { return accepted_now_.load(std::memory_order_relaxed); }
  uint64_t refused_now() const { return refused_now_.load(std::memory_order_relaxed); }

 private:
  bool next(bool pipelined, Message* message) override;
  void answered(const Message& message, int code, std::string_view text) override;

  void connect(Connection* connection);
  void handle(Connection* connection, uint32_t events);
  void lose(Connection* connection, const std::string& why);
  void note_idle(Connection* connection);
  void wake_idle();
  void tick();
  void wait(int64_t until_us);
  int64_t next_wake() const;
  bool finished() const { return outstanding_ == 0 && plan_->over(read_clock()); }
  void check_patience(int64_t now_us);
  void say_goodbye();

  const LoadOptions& options_;
  const Content& content_;
  const SocketAddress& address_;
  Plan* plan_;
  Tally tally_;
  IdFile ids_;
  std::shared_ptr<relay::tls::Context> tls_;
  std::vector<Connection> connections_;
  std::vector<uint32_t> idle_;  // sessions that wait for a message
  std::deque<Message> again_;   // lost with their connection
  uint32_t closed_ = 0;         // connections to be made again
  uint64_t outstanding_ = 0;    // taken from the plan and not answered
  std::string gave_up_;
  std::atomic<uint64_t> accepted_now_{0};
  std::atomic<uint64_t> refused_now_{0};
  bool ever_up_ = false;
  int64_t start_us_ = 0;
  int64_t tick_us_ = 0;
  int64_t progress_us_ = 0;  // the last answer to a message
  int64_t ended_us_ = 0;
  int epoll_ = -1;
  std::vector<char> buffer_;
};

}  // namespace bench::load
