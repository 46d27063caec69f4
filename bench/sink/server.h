// The sockets of the receiver: one epoll loop, one thread. Several listeners share the counters and the id
// file.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/net/id_file.h"
#include "bench/personality/id_count.h"
#include "bench/personality/scenario.h"
#include "bench/personality/site.h"
#include "bench/sink/options.h"
#include "bench/sink/postman.h"
#include "bench/sink/receiver.h"
#include "bench/sink/tls_end.h"
#include "conf/vocab/random.h"
#include "conf/vocab/result.h"

namespace bench {

class Server {
 public:
  // With a scenario its groups are played: on its own addresses, or the first one on all of options.listen.
  Server(SinkOptions options, Scenario scenario);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and opens what the options name.
  conf::Status start();
  // Serves until *stop is not 0. An error ends it too: a receiver without free descriptors would only look
  // like a slow one.
  conf::Status run(const volatile std::sig_atomic_t* stop);
  const Tally& tally() const { return tally_; }
  size_t addresses() const { return listeners_.size(); }
  const IdCount& id_count() const { return id_count_; }
  const std::vector<std::unique_ptr<Site>>& sites() const { return sites_; }
  const Postman* postman() const { return postman_.get(); }  // null: late reports go nowhere

 private:
  static int64_t now_us();
  struct Listener {
    Site* site;  // null: no scenario
    std::string address;
  };
  struct Session {
    Session(int socket, const SinkOptions& options, Tally* tally, conf::Random* random)
        : fd(socket), receiver(options, tally, random) {}
    std::string& unsent() { return tls ? wire : output; }
    int fd;
    Receiver receiver;
    std::string output;  // replies; what TLS has made of them is in `wire`
    std::string wire;
    std::unique_ptr<TlsEnd> tls;
    bool secret = false;     // the handshake is done
    bool ending = false;     // closes when all is written
    bool lingering = false;  // has said its last word and waits for the sender to close
    std::string held;        // what is said when the pause is over
    std::string unread;      // arrived while a delayed reply was due
    bool delayed = false;    // waits for its 250
    uint32_t watched = 0;    // events asked of epoll
    uint64_t serial = 0;
  };
  struct Due {
    int64_t at_us;
    int fd;
    uint64_t serial;
    bool operator>(const Due& other) const { return at_us > other.at_us; }
  };

  conf::Status listen(const std::string& address, Site* site);
  conf::Status start_postman();
  conf::Status open_files();
  void accept_all(int fd, const Listener& listener);
  void welcome(int fd, const Listener& listener, const std::string& source);
  void notice_departed(const Receiver& newcomer);
  void readable(Session* session);
  void take(Session* session, std::string_view bytes);
  void took_message(Session* session);
  void begin_tls(Session* session, Handshake how);
  void hold(Session* session, std::string_view unread);
  void answer_due(int64_t now);
  bool write_out(Session* session);  // false: the session was closed
  bool finish(Session* session);     // likewise
  void watch(Session* session);
  void close_session(Session* session);
  int wait_ms(int64_t now) const;
  void write_count(int64_t now, bool force);

  SinkOptions options_;
  Tally tally_;
  conf::Random random_;
  IdFile ids_;
  int epoll_ = -1;
  int count_fd_ = -1;
  uint64_t count_written_ = UINT64_MAX;
  int64_t count_time_ = 0;
  uint64_t next_serial_ = 1;
  Scenario scenario_;
  std::vector<std::unique_ptr<Site>> sites_;
  IdCount id_count_;
  std::unordered_map<int, Listener> listeners_;
  std::unordered_map<const Site*, std::shared_ptr<relay::tls::Context>> contexts_;
  std::unique_ptr<Postman> postman_;
  conf::Status trouble_ = conf::success();
  std::vector<std::unique_ptr<Session>> sessions_;  // by descriptor
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<char> buffer_;
};

}  // namespace bench
