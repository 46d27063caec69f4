// Brings late reports back: a thread of its own that sends each, when it is due, over SMTP to one address.
// One connection at a time, a bounded number of reports in memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/net/socket.h"
#include "bench/personality/site.h"
#include "conf/vocab/time.h"

namespace bench {

struct PostTotals {
  uint64_t sent = 0;
  uint64_t refused = 0;   // 5yz, or not taken after some tries
  uint64_t overflow = 0;  // too many were waiting
  uint64_t waiting = 0;   // not due, or not yet tried
  std::string last_trouble;
};

class Postman {
 public:
  // Where reports go must be on the loopback network, unless `anywhere`: kRefused otherwise.
  static conf::Status allowed(const SocketAddress& to, bool anywhere);

  Postman(SocketAddress to, std::string hostname);
  ~Postman();  // what waits is not sent any more
  Postman(const Postman&) = delete;
  Postman& operator=(const Postman&) = delete;

  // The message of `report` was taken now. Any thread.
  void post(LateReport report);
  PostTotals totals() const;  // any thread

 private:
  struct Letter {
    LateReport report;
    conf::WallTime arrival;
    uint32_t tries = 0;
  };
  void run();
  std::vector<Letter> due_letters(std::unique_lock<std::mutex>* lock);
  void carry(std::vector<Letter>* letters);
  // Sends from `*next` on, one after the other, as long as the connection is good.
  void converse(int fd, std::vector<Letter>* letters, size_t* next);
  bool keep(int fd);  // false: it is too late to begin
  void settle(Letter* letter, uint16_t code, const std::string& text);

  const SocketAddress to_;
  const std::string hostname_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<conf::Instant, Letter> letters_;  // by the time they are due
  PostTotals totals_;
  size_t carried_ = 0;  // taken out of letters_ and not settled yet
  int fd_ = -1;         // the connection, to cut it off at the end
  bool stopping_ = false;
  uint64_t next_token_ = 1;  // of the thread alone
  std::thread thread_;       // the last, so that it sees the rest made
};

}  // namespace bench
