#include "relay/returns/signed_return_paths.h"

#include <utility>

namespace relay::returns {

void SignedReturnPaths::use(conf::ConfigPtr config, std::shared_ptr<const bounce::ReturnKeys> keys) {
  config_ = std::move(config);
  keys_ = std::move(keys);
}

const conf::ReturnPathSettings* SignedReturnPaths::path_for(const conf::Mailbox& reverse_path) const {
  if (config_ == nullptr || keys_ == nullptr) return nullptr;
  return config_->returns.path_for(reverse_path);
}

std::string SignedReturnPaths::message_id(conf::MessageId id, const conf::Mailbox& reverse_path) const {
  const conf::ReturnPathSettings* settings = path_for(reverse_path);
  if (settings == nullptr || !config_->returns.message_id) return {};
  bounce::ReturnToken token;
  token.message = id;
  token.grade = conf::VerpGrade::kMessage;
  token.expires = clock_->wall() + config_->returns.life;
  return keys_->sign(token) + '@' + settings->domain;
}

ReturnPath SignedReturnPaths::return_path(const spool::MessageRecord& record,
                                          const spool::RecipientRecord& recipient) const {
  ReturnPath path;
  path.mailbox = record.envelope.reverse_path;
  const conf::ReturnPathSettings* settings = path_for(record.envelope.reverse_path);
  if (settings == nullptr) return path;
  const conf::Mailbox& whom = recipient.recipient.mailbox;
  bounce::ReturnToken token;
  token.message = record.id;
  token.grade = settings->verp;
  token.whom = keys_->check_of(token, whom);
  token.expires = clock_->wall() + config_->returns.life;
  path.mailbox.local = keys_->local_part(settings->prefix, token);
  path.mailbox.domain = conf::Domain::from_canonical(settings->domain);
  if (config_->returns.header.empty()) return path;
  // With several recipients in a transaction the field cannot name one.
  const bool alone = token.grade == conf::VerpGrade::kRecipient;
  path.fields = config_->returns.header + ": " +
                (alone ? keys_->field_value(token, whom) : keys_->sign(token)) + "\r\n";
  return path;
}

}  // namespace relay::returns
