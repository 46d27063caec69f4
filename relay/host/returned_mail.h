// The daemon's side of mail that comes back: keys, return paths and the desk, put together. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conf/config.h"
#include "relay/intake/reception.h"
#include "relay/journal/journal.h"
#include "relay/net/secrets.h"
#include "relay/returns/desk.h"
#include "relay/returns/mailboxes.h"
#include "relay/returns/sent_keeper.h"
#include "relay/returns/signed_return_paths.h"

namespace relay {

class ReturnedMail {
 public:
  using Say = std::function<void(const std::string&)>;
  // `wake` and `say` are called from another thread too.
  ReturnedMail(const conf::Clock* clock, journal::Journal* journal, std::function<void()> wake, Say say);
  ~ReturnedMail();

  void use(conf::ConfigPtr config, std::shared_ptr<const bounce::Qualifier> qualifier,
           std::shared_ptr<const bounce::ReturnKeys> keys);
  // Names messages that come without a Message-ID, and opens the desk when the configuration wants one, and
  // the mailboxes that are polled. Both are borrowed; this outlives what the reception takes.
  conf::Status open(Reception* reception, Secrets* secrets);
  void step();
  bool quiet() const { return desk_ == nullptr || desk_->quiet(); }
  const ReturnPaths* paths() const { return &paths_; }

 private:
  std::shared_ptr<const returns::ReadingTools> tools() const;

  const conf::Clock* clock_;
  journal::Journal* journal_;
  std::function<void()> wake_;
  Say say_;
  conf::ConfigPtr config_;
  std::shared_ptr<const bounce::Qualifier> qualifier_;
  std::shared_ptr<const bounce::ReturnKeys> keys_;
  returns::SignedReturnPaths paths_;
  std::unique_ptr<returns::SentKeeper> sent_;  // outlives the desk, which asks it
  std::unique_ptr<returns::Desk> desk_;        // null: no mail comes back
  std::unique_ptr<returns::Mailboxes> mailboxes_;
};

}  // namespace relay
