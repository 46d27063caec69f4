// One session with a mailbox on another server, by POP3 (RFC 1939, 2449, 2595) or IMAP (RFC 3501, 4315), with
// libcurl. It never connects twice: the numbers of POP3 hold for one session only. Blocks; every call ends
// within the deadline of the session, or soon after `stop` is set. After an error the session is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/peer_settings.h"
#include "conf/return_mailbox.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace relay::returns {

struct RemoteMail {
  std::string uid;      // of POP3 UIDL; of IMAP UIDVALIDITY.UID
  uint64_t number = 0;  // of POP3, in this session; UID of IMAP
  uint64_t octets = 0;  // as the server says
};

class CurlMailbox {
 public:
  struct Options {
    conf::ReturnMailbox mailbox;
    std::string ca_file;  // empty: the system's
    std::string user;
    conf::LoginMechanism mechanism = conf::LoginMechanism::kAny;
    const conf::Clock* clock = nullptr;
    const std::atomic<bool>* stop = nullptr;
  };
  static constexpr int kSessionTimeouts = 10;  // a session lasts so many times `timeout`
  static constexpr size_t kMostListed = 250'000;
  static constexpr size_t kLongestList = 16'000'000;  // octets

  CurlMailbox(const Options& options, const std::string& secret);
  ~CurlMailbox();
  CurlMailbox(const CurlMailbox&) = delete;
  CurlMailbox& operator=(const CurlMailbox&) = delete;

  // In the order of the server. `broken` gets how many lines named no mail, or one that was named before.
  // kRefused: the login was.
  conf::Result<std::vector<RemoteMail>> list(size_t* broken);
  // `sink` says false when it takes no more: then kLimit.
  using Sink = std::function<bool(std::string_view octets)>;
  conf::Status fetch(const RemoteMail& mail, Sink sink);
  // Deletes them for good, or says why not.
  conf::Status remove(const std::vector<RemoteMail>& mails);

 private:
  struct Handle;
  conf::Result<std::vector<RemoteMail>> list_pop3(size_t* broken);
  conf::Result<std::vector<RemoteMail>> list_imap(size_t* broken);
  conf::Status remove_imap(const std::vector<RemoteMail>& mails);
  // A command with what it answers, of at most kLongestList octets.
  conf::Result<std::string> ask(const std::string& path, const char* command, bool answers);
  conf::Status run(const std::string& path, const char* command, bool answers, Sink sink);

  Options options_;
  std::unique_ptr<Handle> handle_;
  std::string folder_;  // of IMAP, as the URL wants it, with its UIDVALIDITY
};

}  // namespace relay::returns
