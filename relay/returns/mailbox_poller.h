// The thread that empties a mailbox on another server into the Maildir of the desk, at its times. What goes
// wrong is told once a session.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/returns/curl_mailbox.h"
#include "relay/returns/mailbox_memory.h"

namespace relay::returns {

class MailboxPoller {
 public:
  struct Options {
    CurlMailbox::Options server;  // but for `stop`
    std::string login;            // the name of its [[login]]
    size_t most_unread = 0;       // with so many mails in the Maildir the next session waits
    std::function<void()> wake;   // from its thread: there is something to ask
  };
  MailboxPoller(Options options, MailboxMemory memory);
  ~MailboxPoller();  // may wait for the disk, and about a second for the network
  MailboxPoller(const MailboxPoller&) = delete;
  MailboxPoller& operator=(const MailboxPoller&) = delete;
  void start();

  // Loop thread, all of them.
  bool wants_secret();  // once for each session; then give() it
  void give(conf::Result<std::string> secret);
  struct Trouble {
    std::string text;
    bool refused = false;  // the login: the secret may be old
  };
  std::vector<Trouble> troubles();
  const Options& options() const { return options_; }

 private:
  static constexpr size_t kMostTroubles = 100;
  static constexpr uint32_t kTries = 3;  // of one mail, then it is left where it is

  void run();
  bool wait_for(conf::Duration duration);  // false: it is to end
  std::optional<conf::Result<std::string>> secret();
  struct Outcome {
    bool good = true;
    bool more = false;  // the batch was full
  };
  Outcome session();
  Outcome converse(CurlMailbox* server);
  void fetch_all(CurlMailbox* server, const std::vector<RemoteMail>& mails, std::vector<RemoteMail>* done,
                 Outcome* outcome);
  // False: the session is over.
  bool fetch_one(CurlMailbox* server, const RemoteMail& mail, std::vector<MailboxMemory::Staged>* staged,
                 Outcome* outcome);
  void leave(const RemoteMail& mail, const std::string& why);
  void tell(std::string text, bool refused = false);

  Options options_;
  MailboxMemory memory_;
  std::unordered_map<std::string, uint32_t> failed_;  // tries of a mail that ended the session
  std::atomic<bool> ending_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool wants_ = false;
  std::optional<conf::Result<std::string>> given_;
  std::vector<Trouble> troubles_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace relay::returns
