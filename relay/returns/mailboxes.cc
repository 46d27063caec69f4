#include "relay/returns/mailboxes.h"

#include <utility>

#include "relay/journal/events.h"

namespace relay::returns {

conf::Result<std::unique_ptr<Mailboxes>> Mailboxes::open(Options options) {
  std::unique_ptr<Mailboxes> all(new Mailboxes(std::move(options)));
  const conf::Config& config = *all->options_.config;
  for (const conf::ReturnMailbox& mailbox : config.returns.mailboxes) {
    const conf::Login* const login = config.login(mailbox.login);
    CHECK(login != nullptr);  // the parser has seen to it
    MailboxPoller::Options poller;
    poller.server.mailbox = mailbox;
    poller.server.ca_file = config.tls_ca_file;
    poller.server.user = login->user;
    poller.server.mechanism = login->mechanism;
    poller.server.clock = all->options_.clock;
    poller.login = mailbox.login;
    poller.most_unread = config.returns.queue;
    poller.wake = all->options_.wake;
    conf::Result<MailboxMemory> memory =
        MailboxMemory::open(config.returns.path, mailbox.place.text() + ' ' + login->user);
    if (!memory.ok()) return memory.error();
    all->pollers_.push_back(std::make_shared<MailboxPoller>(std::move(poller), std::move(*memory)));
  }
  for (const auto& poller : all->pollers_) poller->start();
  return all;
}

void Mailboxes::step() {
  for (const std::shared_ptr<MailboxPoller>& poller : pollers_) {
    for (const MailboxPoller::Trouble& trouble : poller->troubles()) tell(*poller, trouble);
    if (!poller->wants_secret()) continue;
    // A command may answer when all of this is gone.
    options_.secrets->get(poller->options().login,
                          [weak = std::weak_ptr(poller)](conf::Result<std::string> secret) {
                            const std::shared_ptr<MailboxPoller> alive = weak.lock();
                            if (alive != nullptr) alive->give(std::move(secret));
                          });
  }
}

void Mailboxes::tell(const MailboxPoller& poller, const MailboxPoller::Trouble& trouble) {
  if (trouble.refused) options_.secrets->refused(poller.options().login);
  journal::ServerTrouble about;
  about.mx_host = poller.options().server.mailbox.place.host;
  about.text = trouble.text;
  options_.journal->append(journal::trouble(std::move(about), options_.clock->wall()));
}

}  // namespace relay::returns
