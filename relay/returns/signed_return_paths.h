// Gives mail a reverse-path that says, when it comes back, which message and which recipient it is about
// (VERP, signed: bounce/return_path.h). Loop thread.
#pragma once

#include <memory>
#include <string>

#include "bounce/return_path.h"
#include "conf/config.h"
#include "relay/walk/envelope.h"

namespace relay::returns {

class SignedReturnPaths final : public ReturnPaths {
 public:
  explicit SignedReturnPaths(const conf::Clock* clock) : clock_(clock) {}
  // From now on; `keys` null: no mail gets one.
  void use(conf::ConfigPtr config, std::shared_ptr<const bounce::ReturnKeys> keys);

  ReturnPath return_path(const spool::MessageRecord& record,
                         const spool::RecipientRecord& recipient) const override;
  // "TOKEN@domain", the Message-ID of a message that came without one: its token names the message alone, for
  // all of its recipients share the one text, and it counts from now. Empty when none is wanted for mail of
  // this sender.
  std::string message_id(conf::MessageId id, const conf::Mailbox& reverse_path) const;

 private:
  // Null: mail of this sender is not signed.
  const conf::ReturnPathSettings* path_for(const conf::Mailbox& reverse_path) const;

  const conf::Clock* clock_;
  conf::ConfigPtr config_;
  std::shared_ptr<const bounce::ReturnKeys> keys_;
};

}  // namespace relay::returns
