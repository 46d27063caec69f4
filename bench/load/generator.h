// Drives many client sessions from one epoll loop: hands out messages (as fast as they are taken, or at a
// rate), connects again after a loss, counts. A message whose connection was lost without an answer is sent
// again with the same id, as a mail client would.
#pragma once

#include <csignal>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/client.h"
#include "bench/load/latency.h"
#include "bench/load/options.h"
#include "bench/net/id_file.h"
#include "bench/net/socket.h"
#include "conf/vocab/result.h"

namespace bench {

struct LoadResult {
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t lost_connections = 0;
  uint64_t connections = 0;
  uint64_t resent = 0;
  double seconds = 0;
  bool gave_up = false;
  std::string trouble;                       // the last reason of a lost connection
  std::map<std::string, uint64_t> refusals;  // by reply, digits of the id left out; bounded
  Latency latency;
};

class Generator final : private Supply {
 public:
  explicit Generator(LoadOptions options);
  ~Generator() override;
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  conf::Status start();
  // Until every message has an answer, patience is over, or *stop is not 0.
  void run(const volatile std::sig_atomic_t* stop);
  const LoadResult& result() const { return result_; }

 private:
  struct Connection {
    int fd = -1;
    std::unique_ptr<Client> client;
    bool up = false;
    uint32_t watched = 0;
    int64_t again_us = 0;  // when to connect, while fd is -1
  };

  bool next(Message* message) override;
  std::string id(uint64_t number) const override;
  std::string domain(uint64_t number) const override;
  std::string header(uint64_t number) const override;
  std::string_view body() const override { return body_; }
  void answered(const Message& message, int code, std::string_view text) override;
  void content_sent(Message* message) override;

  void connect(Connection* connection);
  void handle(Connection* connection, uint32_t events);
  void lose(Connection* connection, const std::string& why);
  bool write_out(Connection* connection);
  void tick(int64_t now);
  void show_progress(int64_t now);
  bool done() const { return result_.accepted + result_.refused >= options_.messages; }

  LoadOptions options_;
  SocketAddress address_;
  LoadResult result_;
  IdFile ids_;
  std::string body_;
  std::string date_;
  std::vector<std::string> domains_;
  std::vector<Connection> connections_;
  std::deque<Message> again_;  // lost with their connection
  uint64_t handed_out_ = 0;
  int64_t start_us_ = 0;
  int64_t now_us_ = 0;
  int64_t last_answer_us_ = 0;
  int64_t progress_us_ = 0;
  uint64_t progress_accepted_ = 0;
  int epoll_ = -1;
  std::vector<char> buffer_;
};

}  // namespace bench
