// All mailboxes on other servers that are polled: [[return_mailbox]]. Their secrets are asked for on the
// loop, before each session; their troubles become events. Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "conf/config.h"
#include "relay/journal/journal.h"
#include "relay/net/secrets.h"
#include "relay/returns/mailbox_poller.h"

namespace relay::returns {

class Mailboxes {
 public:
  struct Options {
    conf::ConfigPtr config;
    Secrets* secrets = nullptr;
    journal::Journal* journal = nullptr;
    const conf::Clock* clock = nullptr;
    std::function<void()> wake;  // from other threads: step() has something to do
  };
  // After Desk::open(), which makes the Maildir. kIo: what was taken from them cannot be read or written.
  static conf::Result<std::unique_ptr<Mailboxes>> open(Options options);
  void step();

 private:
  explicit Mailboxes(Options options) : options_(std::move(options)) {}
  void tell(const MailboxPoller& poller, const MailboxPoller::Trouble& trouble);

  Options options_;
  std::vector<std::shared_ptr<MailboxPoller>> pollers_;
};

}  // namespace relay::returns
