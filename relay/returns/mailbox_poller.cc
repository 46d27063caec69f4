#include "relay/returns/mailbox_poller.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "relay/smtp/login_words.h"

namespace relay::returns {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kLongestBackOff = 10min;

}  // namespace

MailboxPoller::MailboxPoller(Options options, MailboxMemory memory)
    : options_(std::move(options)), memory_(std::move(memory)) {
  options_.server.stop = &ending_;
}

MailboxPoller::~MailboxPoller() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void MailboxPoller::start() {
  thread_ = std::thread([this] { run(); });
}

bool MailboxPoller::wants_secret() {
  const std::lock_guard lock(mutex_);
  return std::exchange(wants_, false);
}

void MailboxPoller::give(conf::Result<std::string> secret) {
  {
    const std::lock_guard lock(mutex_);
    given_ = std::move(secret);
  }
  changed_.notify_one();
}

std::vector<MailboxPoller::Trouble> MailboxPoller::troubles() {
  const std::lock_guard lock(mutex_);
  return std::exchange(troubles_, {});
}

void MailboxPoller::tell(std::string text, bool refused) {
  {
    const std::lock_guard lock(mutex_);
    if (troubles_.size() >= kMostTroubles) return;
    troubles_.push_back({options_.server.mailbox.place.text() + ": " + std::move(text), refused});
  }
  options_.wake();
}

bool MailboxPoller::wait_for(conf::Duration duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return ending_.load(); });
  return !ending_;
}

std::optional<conf::Result<std::string>> MailboxPoller::secret() {
  {
    const std::lock_guard lock(mutex_);
    wants_ = true;
  }
  options_.wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_.load() || given_.has_value(); });
  return std::exchange(given_, std::nullopt);
}

void MailboxPoller::run() {
  const conf::Duration poll = options_.server.mailbox.poll;
  conf::Duration pause{0};
  conf::Duration back_off = poll;
  while (wait_for(pause)) {
    const Outcome outcome = session();
    back_off = outcome.good ? poll : std::max(poll, std::min(back_off * 2, kLongestBackOff));
    pause = outcome.good && outcome.more ? conf::Duration(0) : back_off;
  }
}

MailboxPoller::Outcome MailboxPoller::session() {
  // The disk is not to fill with what nobody reads.
  if (memory_.unread() >= options_.most_unread) return {};
  std::optional<conf::Result<std::string>> given = secret();
  if (!given.has_value()) return {};
  if (!given->ok()) {
    tell(given->error().detail);
    return {false, false};
  }
  CurlMailbox server(options_.server, given->value());
  smtp::wipe(&given->value());
  return converse(&server);
}

MailboxPoller::Outcome MailboxPoller::converse(CurlMailbox* server) {
  Outcome outcome;
  size_t broken = 0;
  const conf::Result<std::vector<RemoteMail>> mails = server->list(&broken);
  if (!mails.ok()) {
    if (!ending_) tell(mails.error().detail, mails.error().code == conf::ErrorCode::kRefused);
    return {false, false};
  }
  if (broken > 0)
    tell(std::to_string(broken) +
         " lines of its list name no mail, or one that was named before: what they are "
         "about stays there");
  std::unordered_set<std::string_view> listed;
  for (const RemoteMail& mail : mails.value()) listed.insert(mail.uid);
  const conf::Status kept = memory_.keep_only(listed, options_.server.clock->wall());
  if (!kept.ok()) {
    tell(kept.error().detail);
    return {false, false};
  }
  std::vector<RemoteMail> done;
  fetch_all(server, mails.value(), &done, &outcome);
  if (!options_.server.mailbox.remove || done.empty() || !outcome.good) return outcome;
  const conf::Status removed = server->remove(done);
  if (!removed.ok() && !ending_) {
    outcome.good = false;
    tell("mail that was read could not be deleted: " + removed.error().detail);
  }
  return outcome;
}

void MailboxPoller::fetch_all(CurlMailbox* server, const std::vector<RemoteMail>& mails,
                              std::vector<RemoteMail>* done, Outcome* outcome) {
  std::vector<MailboxMemory::Staged> staged;
  std::vector<RemoteMail> fresh;
  for (const RemoteMail& mail : mails) {
    if (memory_.knows(mail.uid)) {
      if (!memory_.was_left(mail.uid)) done->push_back(mail);
      continue;
    }
    outcome->more = staged.size() >= options_.server.mailbox.batch;
    if (outcome->more) break;
    if (mail.octets > options_.server.mailbox.most_octets) {
      leave(mail, "has " + std::to_string(mail.octets) + " octets, more than max_size");
      continue;
    }
    const size_t before = staged.size();
    if (!fetch_one(server, mail, &staged, outcome)) break;
    if (staged.size() > before) fresh.push_back(mail);
  }
  const conf::Status handed = memory_.hand_over(staged, options_.server.clock->wall());
  if (handed.ok()) {
    done->insert(done->end(), fresh.begin(), fresh.end());
  } else {
    outcome->good = false;
    tell(handed.error().detail);
  }
}

bool MailboxPoller::fetch_one(CurlMailbox* server, const RemoteMail& mail,
                              std::vector<MailboxMemory::Staged>* staged, Outcome* outcome) {
  conf::Result<MailboxMemory::Staged> fresh = memory_.stage(mail.uid, options_.server.clock->wall());
  if (!fresh.ok()) {
    outcome->good = false;
    tell(fresh.error().detail);
    return false;
  }
  uint64_t octets = 0;
  conf::Status disk = conf::success();
  const conf::Status fetched = server->fetch(mail, [&](std::string_view piece) {
    octets += piece.size();
    if (octets > options_.server.mailbox.most_octets) return false;
    disk = memory_.write(*fresh, piece);
    return disk.ok();
  });
  if (fetched.ok()) {
    failed_.erase(mail.uid);
    MailboxMemory::finish(&*fresh);
    staged->push_back(std::move(*fresh));
    return true;
  }
  memory_.give_up(*fresh);
  outcome->good = false;
  if (ending_) return false;
  if (!disk.ok()) {
    tell(disk.error().detail);
  } else if (octets > options_.server.mailbox.most_octets) {
    leave(mail, "is larger than max_size, though the server says " + std::to_string(mail.octets));
  } else if (++failed_[mail.uid] >= kTries) {
    failed_.erase(mail.uid);
    leave(mail, "could not be fetched " + std::to_string(kTries) + " times: " + fetched.error().detail);
  } else {
    tell("mail " + mail.uid + ": " + fetched.error().detail);
  }
  return false;
}

void MailboxPoller::leave(const RemoteMail& mail, const std::string& why) {
  const conf::Status noted = memory_.leave(mail.uid, options_.server.clock->wall());
  tell("mail " + mail.uid + " " + why + "; it stays there" + (noted.ok() ? "" : ", " + noted.error().detail));
}

}  // namespace relay::returns
