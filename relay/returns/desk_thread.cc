#include "relay/returns/desk_thread.h"

#include <algorithm>
#include <chrono>

namespace relay::returns {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kSweep = 1h;
// Of reading, while clients wait for their answers.
constexpr conf::Duration kMostReading = 100ms;

}  // namespace

Desk::Thread::Thread(const Options& options, std::vector<Maildir> folders)
    : clock_(options.clock),
      wake_(options.wake),
      say_(options.say),
      unmatched_octets_(options.unmatched_octets),
      folders_(std::move(folders)),
      unread_(folders_.size()),
      next_look_(clock_->now()),
      next_sweep_(clock_->now()),
      tools_(options.tools) {}

Desk::Thread::~Thread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Desk::Thread::start() {
  thread_ = std::thread([this] { run(); });
}

bool Desk::Thread::offer(Offered* offered) {
  {
    const std::lock_guard lock(mutex_);
    if (offered_.size() >= tools_->settings.queue) return false;
    offered_.push_back(std::move(*offered));
  }
  changed_.notify_one();
  return true;
}

void Desk::Thread::finish(std::vector<Finished> finished) {
  {
    const std::lock_guard lock(mutex_);
    finished_.insert(finished_.end(), std::make_move_iterator(finished.begin()),
                     std::make_move_iterator(finished.end()));
  }
  changed_.notify_one();
}

void Desk::Thread::use(std::shared_ptr<const ReadingTools> tools) {
  const std::lock_guard lock(mutex_);
  tools_ = std::move(tools);
}

std::deque<Desk::Thread::Answered> Desk::Thread::answers() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

std::deque<Desk::Thread::Found> Desk::Thread::found(size_t most, bool* more) {
  std::deque<Found> taken;
  const std::lock_guard lock(mutex_);
  while (!found_.empty() && taken.size() < most) {
    taken.push_back(std::move(found_.front()));
    found_.pop_front();
  }
  *more = !found_.empty();
  return taken;
}

void Desk::Thread::run() {
  Work work;
  while (wait(&work)) {
    put_away(work);
    store(&work);
    if (work.look) look_into_folders(work);
  }
}

bool Desk::Thread::wait(Work* work) {
  *work = Work();
  std::unique_lock lock(mutex_);
  const conf::Duration until_look = std::max(next_look_ - clock_->now(), conf::Duration(0));
  changed_.wait_for(lock, until_look, [this] { return ending_ || !offered_.empty() || !finished_.empty(); });
  if (ending_ && offered_.empty() && finished_.empty()) return false;
  const size_t count = std::min(offered_.size(), kBatch);
  for (size_t i = 0; i < count; ++i) {
    work->offered.push_back(std::move(offered_.front()));
    offered_.pop_front();
  }
  work->finished = std::exchange(finished_, {});
  work->tools = tools_;
  work->look = !ending_ && clock_->now() >= next_look_;
  return true;
}

// Every client of the batch is answered alike: they share the sync.
void Desk::Thread::store(Work* work) {
  if (work->offered.empty()) return;
  std::vector<Maildir::Mail> mails;
  mails.reserve(work->offered.size());
  for (Offered& each : work->offered) mails.push_back(std::move(each.mail));
  conf::Result<std::vector<spool::Receipt>> stored = folders_.front().deliver(mails);
  if (stored.ok()) {
    told_.erase(folders_.front().path());
  } else {
    complain(folders_.front().path(), stored.error());
  }
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < work->offered.size(); ++i) {
      answers_.push_back({stored.ok() ? conf::Result<spool::Receipt>((*stored)[i])
                                      : conf::Result<spool::Receipt>(stored.error()),
                          std::move(work->offered[i].done)});
    }
  }
  wake_();
  if (!stored.ok()) return;
  const conf::Instant begun = clock_->now();
  for (const Maildir::Mail& mail : mails) {
    // What is left lies in the folder and is found there.
    if (!has_room()) return;
    if (clock_->now() - begun > kMostReading && clients_wait()) {
      next_look_ = clock_->now();
      return;
    }
    std::string octets;
    octets.reserve(mail.head.size() + mail.body.size());
    octets.append(mail.head).append(mail.body.view());
    read(*work, 0, Maildir::name_of(mail.id), octets);
  }
}

void Desk::Thread::put_away(const Work& work) {
  for (const Finished& each : work.finished) {
    if (!is_put_away(work, each)) stuck_.push_back(each);
  }
  if (work.look) std::erase_if(stuck_, [&](const Finished& each) { return is_put_away(work, each); });
  const bool sweeps = clock_->now() >= next_sweep_;
  for (Maildir& folder : folders_) {
    if (sweeps || folder.fresh_unmatched() > unmatched_octets_ / 16) bound_unmatched(&folder);
  }
  if (!sweeps) return;
  next_sweep_ = clock_->now() + kSweep;
  // In a Maildir of others cur/ has mail that people have read.
  folders_.front().remove_kept(clock_->wall() - work.tools->settings.keep);
}

void Desk::Thread::bound_unmatched(Maildir* folder) {
  const size_t removed = folder->bound_unmatched(unmatched_octets_);
  if (removed == 0) return;
  const std::string& path = folder->unmatched();
  complain(path, {conf::ErrorCode::kLimit,
                  path + " holds more than " + std::to_string(unmatched_octets_) +
                      " octets of mail that could not be matched; its oldest mails are removed, " +
                      std::to_string(removed) + " now. Look what comes in, and remove what nobody needs"});
}

// Else it lies in new/ still, is known, and is not read again: its events were told.
bool Desk::Thread::is_put_away(const Work& work, const Finished& read) {
  const Fate fate = read.unmatched                          ? Fate::kUnmatched
                    : work.tools->settings.keep.count() > 0 ? Fate::kKeep
                                                            : Fate::kForget;
  const conf::Status done = folders_[read.folder].put_away(read.name, fate);
  if (done.ok()) {
    in_hand_.erase({read.folder, read.name});
  } else {
    complain(folders_[read.folder].path() + '/' + read.name, done.error());
  }
  return done.ok();
}

void Desk::Thread::look_into_folders(const Work& work) {
  next_look_ = clock_->now() + work.tools->settings.poll;
  for (size_t i = 0; i < folders_.size(); ++i) {
    const conf::Status listed = unread_[i].begin([&] { return folders_[i].unread(); });
    if (!listed.ok()) complain(folders_[i].path(), listed.error());
    while (unread_[i].next() != nullptr) {
      if (!has_room()) {
        next_look_ = clock_->now() + 100ms;
        return;
      }
      const std::string name = unread_[i].take();
      if (in_hand_.count({i, name}) != 0) continue;
      conf::Result<std::string> octets = folders_[i].read(name, kMostRead);
      if (octets.ok()) {
        read(work, i, name, *octets);
      } else if (octets.error().code != conf::ErrorCode::kNotFound) {
        complain(folders_[i].path() + '/' + name, octets.error());
      }
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      if (offered_.empty()) continue;
      next_look_ = clock_->now();  // clients first
      return;
    }
  }
}

bool Desk::Thread::clients_wait() {
  const std::lock_guard lock(mutex_);
  return !offered_.empty();
}

bool Desk::Thread::has_room() {
  const std::lock_guard lock(mutex_);
  return found_.size() < kMostFound;
}

void Desk::Thread::read(const Work& work, size_t folder, const std::string& name, std::string_view octets) {
  Found found;
  found.folder = folder;
  found.name = name;
  found.events = read_returned(octets, *work.tools, clock_->wall());
  for (conf::DeliveryEvent& event : found.events) {
    if (event.kind == conf::EventKind::kUnmatched) event.file = folders_[folder].unmatched_place(name);
  }
  in_hand_.insert({folder, name});
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = found_.empty();
    found_.push_back(std::move(found));
  }
  if (first) wake_();
}

// Once for each trouble, not at every look.
void Desk::Thread::complain(const std::string& about, const conf::Error& error) {
  constexpr size_t kMostTold = 1000;
  if (told_.size() >= kMostTold || !told_.insert(about).second) return;
  say_("returned mail: " + error.detail);
}

}  // namespace relay::returns
