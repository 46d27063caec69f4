#include "relay/returns/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <tuple>
#include <utility>

#include "conf/write_file.h"
#include "relay/returns/folder.h"

namespace relay::returns {

namespace {

conf::Status make_maildir(const std::string& path) {
  for (const char* part : {"", "/tmp", "/new", "/cur"}) {
    conf::Status made = make_folder(path + part);
    if (!made.ok()) return made;
  }
  return conf::success();
}

// On a disk; many small files fill it as well.
uint64_t octets_of(const struct stat& status) {
  return std::max<uint64_t>(static_cast<uint64_t>(std::max<off_t>(status.st_size, 0)), 4096);
}

struct UnmatchedMail {
  int64_t seconds = 0, nanoseconds = 0;  // when it came to the folder
  uint64_t octets = 0;
  std::string place;
  bool operator<(const UnmatchedMail& other) const {
    return std::tie(seconds, nanoseconds, place) < std::tie(other.seconds, other.nanoseconds, other.place);
  }
};

// Those in `folder`; people's programs move what they have seen from new/ to cur/.
void append_mails(const std::string& folder, std::vector<UnmatchedMail>* mails) {
  const conf::Result<std::vector<std::string>> names = names_in(folder);
  if (!names.ok()) return;
  for (const std::string& name : names.value()) {
    UnmatchedMail mail;
    mail.place = folder;
    mail.place.append("/").append(name);
    struct stat status {};
    if (::lstat(mail.place.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    mail.seconds = status.st_ctim.tv_sec;
    mail.nanoseconds = status.st_ctim.tv_nsec;
    mail.octets = octets_of(status);
    mails->push_back(std::move(mail));
  }
}

// Moves a file, and never onto another. False: errno says why; EEXIST when the name is taken.
bool move_file(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;  // else the file system cannot say so
  return ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0;
}

// Under `folder`/`name``flags`, or the first free one of `name`-2, `name`-3 ... Whoever delivers into a
// watched Maildir may use a name again. The place, empty when `from` is gone.
conf::Result<std::string> move_into(const std::string& folder, const std::string& name,
                                    const std::string& flags, const std::string& from) {
  constexpr int kMostTries = 10'000;
  std::string to = folder + name + flags;
  for (int i = 2; !move_file(from, to); ++i) {
    if (errno == ENOENT && ::access(from.c_str(), F_OK) != 0) return std::string();
    if (errno != EEXIST || i > kMostTries) return io_error(to, errno);
    to.assign(folder).append(name).append("-").append(std::to_string(i)).append(flags);
  }
  return to;
}

}  // namespace

conf::Result<Maildir> Maildir::open(std::string path, bool ours, std::string unmatched) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (unmatched.empty()) unmatched = path + "/.Unmatched";
  for (const std::string& each : {path, unmatched}) {
    const conf::Status made = make_maildir(each);
    if (!made.ok()) return made.error();
  }
  struct stat here {
  }, there{};
  const bool known = ::stat(path.c_str(), &here) == 0 && ::stat(unmatched.c_str(), &there) == 0;
  if (known && here.st_dev == there.st_dev && here.st_ino == there.st_ino)
    return conf::Error{
        conf::ErrorCode::kInvalid,
        unmatched + ": is the Maildir " + path +
            " that is read; [returns] unmatched must be another one, or its mail is read again"};
  if (known && here.st_dev != there.st_dev)
    return conf::Error{conf::ErrorCode::kIo, unmatched + ": is on another file system than " + path +
                                                 ", from where mail is moved there"};
  if (ours) {
    const std::string tmp = path + "/tmp/";
    conf::Result<std::vector<std::string>> left = names_in(tmp);
    if (!left.ok()) return left.error();
    for (const std::string& name : *left) ::unlink(std::string(tmp).append(name).c_str());
  }
  return Maildir(std::move(path), std::move(unmatched));
}

std::string Maildir::name_of(conf::MessageId id) { return conf::to_text(id) + ".penstock"; }

conf::Status Maildir::write(const Mail& mail) const {
  const std::string place = path_ + "/tmp/" + name_of(mail.id);
  const Descriptor file(::open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) return io_error(place, errno);
  if (!conf::write_all(file.number(), mail.head) || !conf::write_all(file.number(), mail.body.view())) {
    const int error = errno;
    ::unlink(place.c_str());
    return io_error(place, error);
  }
  return conf::success();
}

// Nobody was told of these mails, and their clients send them again: none may be read twice, and on a full
// disk they must not take its last room.
conf::Error Maildir::given_up(const std::vector<Mail>& mails, conf::Error why) const {
  for (const Mail& mail : mails) {
    ::unlink((path_ + "/tmp/" + name_of(mail.id)).c_str());
    ::unlink((path_ + "/new/" + name_of(mail.id)).c_str());
  }
  return why;
}

conf::Result<std::vector<spool::Receipt>> Maildir::deliver(const std::vector<Mail>& mails) {
  for (const Mail& mail : mails) {
    const conf::Status written = write(mail);
    if (!written.ok()) return given_up(mails, written.error());
  }
  // One sync for the batch: thousands of small files would cost a flush of the disk each.
  if (const conf::Status synced = sync_file_system(path_); !synced.ok())
    return given_up(mails, synced.error());
  std::vector<spool::Receipt> receipts;
  receipts.reserve(mails.size());
  for (const Mail& mail : mails) {
    const std::string name = name_of(mail.id);
    if (::rename((path_ + "/tmp/" + name).c_str(), (path_ + "/new/" + name).c_str()) != 0)
      return given_up(mails, io_error(path_ + "/new/" + name, errno));
    receipts.push_back(print_receipt(mail.id));
  }
  const conf::Status synced = sync_folder(path_ + "/new");
  if (!synced.ok()) return given_up(mails, synced.error());
  return receipts;
}

conf::Result<std::vector<std::string>> Maildir::unread() const { return names_in(path_ + "/new"); }

conf::Result<std::string> Maildir::read(const std::string& name, size_t most_octets) const {
  const std::string place = path_ + "/new/" + name;
  // Who delivers into a watched Maildir may put a FIFO there: it would be waited for without end.
  const Descriptor file(::open(place.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.ok() && errno == ENOENT) return conf::Error{conf::ErrorCode::kNotFound, place + ": it is gone"};
  if (!file.ok()) return io_error(place, errno);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return io_error(place, errno);
  if (!S_ISREG(status.st_mode)) return conf::Error{conf::ErrorCode::kIo, place + ": is not a regular file"};
  std::string octets;
  char piece[65'536];
  while (octets.size() < most_octets) {
    const ssize_t got = ::read(file.number(), piece, std::min(sizeof piece, most_octets - octets.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(place, errno);
    if (got == 0) break;
    octets.append(piece, static_cast<size_t>(got));
  }
  return octets;
}

std::string Maildir::unmatched_place(const std::string& name) const { return unmatched_ + "/new/" + name; }

conf::Status Maildir::put_away(const std::string& name, Fate fate) {
  const std::string from = path_ + "/new/" + name;
  if (fate == Fate::kForget) {
    if (::unlink(from.c_str()) == 0 || errno == ENOENT) return conf::success();
    return io_error(from, errno);
  }
  const size_t colon = std::min(name.find(':'), name.size());
  conf::Result<std::string> to =
      fate == Fate::kUnmatched
          ? move_into(unmatched_ + "/new/", name.substr(0, colon), name.substr(colon), from)
          : move_into(path_ + "/cur/", name.substr(0, colon), ":2,S", from);
  if (!to.ok()) return to.error();
  struct stat status {};
  if (fate == Fate::kUnmatched && !to->empty() && ::stat(to->c_str(), &status) == 0)
    fresh_unmatched_ += octets_of(status);
  return conf::success();
}

size_t Maildir::bound_unmatched(uint64_t most) {
  fresh_unmatched_ = 0;
  std::vector<UnmatchedMail> mails;
  for (const char* part : {"/new", "/cur"}) append_mails(unmatched_ + part, &mails);
  uint64_t octets = 0;
  for (const UnmatchedMail& mail : mails) octets += mail.octets;
  if (octets <= most) return 0;
  std::sort(mails.begin(), mails.end());
  size_t removed = 0;
  for (const UnmatchedMail& mail : mails) {
    if (octets <= most - most / 16) break;
    if (::unlink(mail.place.c_str()) != 0) continue;
    octets -= mail.octets;
    ++removed;
  }
  return removed;
}

size_t Maildir::remove_kept(conf::WallTime before) {
  const conf::Result<std::vector<std::string>> names = names_in(path_ + "/cur");
  if (!names.ok()) return 0;
  const int64_t limit = conf::unix_micros(before) / 1'000'000;
  size_t removed = 0;
  for (const std::string& name : names.value()) {
    const std::string place = path_ + "/cur/" + name;
    struct stat status {};
    // The time of the last change of its state: when it was moved here.
    if (::stat(place.c_str(), &status) != 0 || status.st_ctim.tv_sec >= limit) continue;
    if (::unlink(place.c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace relay::returns
