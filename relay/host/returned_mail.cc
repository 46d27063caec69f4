#include "relay/host/returned_mail.h"

#include <utility>

namespace relay {

ReturnedMail::ReturnedMail(const conf::Clock* clock, journal::Journal* journal, std::function<void()> wake,
                           Say say)
    : clock_(clock), journal_(journal), wake_(std::move(wake)), say_(std::move(say)), paths_(clock) {}

ReturnedMail::~ReturnedMail() {
  if (sent_ != nullptr) journal_->remove(sent_.get());
}

void ReturnedMail::use(conf::ConfigPtr config, std::shared_ptr<const bounce::Qualifier> qualifier,
                       std::shared_ptr<const bounce::ReturnKeys> keys) {
  config_ = std::move(config);
  qualifier_ = std::move(qualifier);
  keys_ = std::move(keys);
  paths_.use(config_, keys_);
  if (sent_ != nullptr) sent_->reload(config_);
  if (desk_ != nullptr) desk_->reload(tools());
}

std::shared_ptr<const returns::ReadingTools> ReturnedMail::tools() const {
  return std::make_shared<const returns::ReadingTools>(
      returns::ReadingTools{config_->returns, keys_, qualifier_, sent_.get()});
}

conf::Status ReturnedMail::open(Reception* reception, Secrets* secrets) {
  reception->on_nameless([this](conf::MessageId id, const conf::Mailbox& reverse_path) {
    return paths_.message_id(id, reverse_path);
  });
  if (!config_->returns.wanted()) return conf::success();
  auto sent = returns::SentKeeper::open({config_, clock_, say_});
  if (!sent.ok()) return sent.error();
  sent_ = std::move(*sent);
  journal_->add(sent_.get());
  returns::Desk::Options options;
  options.tools = tools();
  options.journal = journal_;
  options.clock = clock_;
  options.wake = wake_;
  options.say = say_;
  auto desk = returns::Desk::open(std::move(options));
  if (!desk.ok()) return desk.error();
  desk_ = std::move(*desk);
  reception->on_returned([this](spool::MessageRecord record, conf::Bytes body, Transit::AcceptDone done) {
    desk_->offer(std::move(record), std::move(body), std::move(done));
  });
  if (config_->returns.mailboxes.empty()) return conf::success();
  auto mailboxes = returns::Mailboxes::open({config_, secrets, journal_, clock_, wake_});
  if (!mailboxes.ok()) return mailboxes.error();
  mailboxes_ = std::move(*mailboxes);
  return conf::success();
}

void ReturnedMail::step() {
  if (mailboxes_ != nullptr) mailboxes_->step();
  if (desk_ != nullptr) desk_->step();
}

}  // namespace relay
