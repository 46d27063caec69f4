#include "relay/returns/mailbox_memory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include "conf/vocab/ascii.h"
#include "conf/write_file.h"
#include "relay/returns/folder.h"

namespace relay::returns {

namespace {

constexpr int64_t kForgetAfter = 86'400;  // seconds
constexpr int64_t kTidyEvery = 3600;
constexpr char kStaged[] = ".mailbox";  // how the names of our files end

// A name for a folder that people can read; the number keeps names that read alike apart (FNV-1a).
std::string folder_name(const std::string& mailbox) {
  uint64_t hash = 0xcbf29ce484222325;
  std::string name;
  for (const char c : mailbox) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    if (name.size() >= 100) continue;
    if (conf::is_letter(c) || conf::is_digit(c) || c == '-' || (c == '.' && !name.empty())) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  return name + '-' + std::to_string(hash);
}

// "SECONDS d|l NAME UID": done or left; NAME is that of the file, or "-".
std::string line_of(int64_t seconds, bool left, const std::string& name, const std::string& uid) {
  return std::to_string(seconds) + (left ? " l " : " d ") + name + ' ' + uid + '\n';
}

struct Line {
  int64_t seconds = 0;
  bool left = false;
  std::string name, uid;
};

bool read_line(const std::string& text, Line* out) {
  const size_t a = text.find(' ');
  const size_t b = a == std::string::npos ? a : text.find(' ', a + 1);
  const size_t c = b == std::string::npos ? b : text.find(' ', b + 1);
  if (c == std::string::npos || b != a + 2 || c + 1 >= text.size()) return false;
  if (std::from_chars(text.data(), text.data() + a, out->seconds).ec != std::errc()) return false;
  out->left = text[a + 1] == 'l';
  out->name = text.substr(b + 1, c - b - 1);
  out->uid = text.substr(c + 1);
  return true;
}

int64_t seconds_of(conf::WallTime time) { return conf::unix_micros(time) / 1'000'000; }

}  // namespace

conf::Result<MailboxMemory> MailboxMemory::open(const std::string& maildir, const std::string& mailbox) {
  MailboxMemory memory;
  memory.new_ = maildir + "/new";
  const std::string all = maildir + "/mailboxes";
  memory.folder_ = all + '/' + folder_name(mailbox);
  for (const std::string& path : {all, memory.folder_, memory.folder_ + "/stage"}) {
    const conf::Status made = make_folder(path);
    if (!made.ok()) return made.error();
  }
  const conf::Status recovered = memory.recover();
  if (!recovered.ok()) return recovered.error();
  return memory;
}

conf::Status MailboxMemory::recover() {
  std::unordered_set<std::string> noted;
  {
    std::ifstream file(folder_ + "/seen");
    if (!file && errno != ENOENT) return io_error(folder_ + "/seen", errno);
    std::string text;
    while (std::getline(file, text)) {
      Line line;
      // The last line of a write that was cut off has no end: its mails were not handed over.
      if (file.eof() || !read_line(text, &line)) continue;
      seen_[line.uid] = {line.seconds, line.left};
      noted.insert(std::move(line.name));
    }
    if (file.bad()) return io_error(folder_ + "/seen", EIO);
  }
  const conf::Result<std::vector<std::string>> written = names_in(folder_ + "/stage");
  if (!written.ok()) return written.error();
  for (const std::string& name : written.value()) {
    if (!name.ends_with(kStaged)) continue;  // not of ours
    const std::string from = folder_ + "/stage/" + name;
    const int moved =
        noted.count(name) != 0 ? ::rename(from.c_str(), (new_ + '/' + name).c_str()) : ::unlink(from.c_str());
    if (moved != 0) return io_error(from, errno);
  }
  const conf::Status synced = sync_folder(new_);
  return synced.ok() ? rewrite() : synced;
}

conf::Result<MailboxMemory::Staged> MailboxMemory::stage(std::string uid, conf::WallTime now) {
  Staged staged;
  staged.uid = std::move(uid);
  staged.name = std::to_string(conf::unix_micros(now)) + '.' + std::to_string(++staged_) + kStaged;
  const std::string place = folder_ + "/stage/" + staged.name;
  staged.file = ::open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (staged.file < 0) return io_error(place, errno);
  return staged;
}

conf::Status MailboxMemory::write(const Staged& staged, std::string_view octets) {
  if (conf::write_all(staged.file, octets)) return conf::success();
  return io_error(folder_ + "/stage/" + staged.name, errno);
}

void MailboxMemory::finish(Staged* staged) { ::close(std::exchange(staged->file, -1)); }

void MailboxMemory::give_up(const Staged& staged) {
  if (staged.file >= 0) ::close(staged.file);
  ::unlink((folder_ + "/stage/" + staged.name).c_str());
}

conf::Status MailboxMemory::hand_over(const std::vector<Staged>& staged, conf::WallTime now) {
  if (staged.empty()) return conf::success();
  std::string lines;
  for (const Staged& each : staged) lines += line_of(seconds_of(now), false, each.name, each.uid);
  conf::Status status = sync_file_system(folder_ + "/stage");  // one for the batch
  if (status.ok()) status = append(lines);
  if (!status.ok()) {
    for (const Staged& each : staged) give_up(each);
    return status;
  }
  for (const Staged& each : staged) {
    seen_[each.uid] = {seconds_of(now), false};
    const std::string from = folder_ + "/stage/" + each.name;
    // What stays behind is noted: it follows later, or at the next start.
    if (::rename(from.c_str(), (new_ + '/' + each.name).c_str()) == 0) continue;
    status = io_error(from, errno);
    stranded_.push_back(each.name);
  }
  return status.ok() ? sync_folder(new_) : status;
}

conf::Status MailboxMemory::leave(const std::string& uid, conf::WallTime now) {
  seen_[uid] = {seconds_of(now), true};
  return append(line_of(seconds_of(now), true, "-", uid));
}

bool MailboxMemory::was_left(const std::string& uid) const {
  const auto found = seen_.find(uid);
  return found != seen_.end() && found->second.left;
}

conf::Status MailboxMemory::keep_only(const std::unordered_set<std::string_view>& listed,
                                      conf::WallTime now) {
  const int64_t seconds = seconds_of(now);
  while (!stranded_.empty()) {
    const std::string from = folder_ + "/stage/" + stranded_.back();
    if (::rename(from.c_str(), (new_ + '/' + stranded_.back()).c_str()) != 0) return io_error(from, errno);
    stranded_.pop_back();
  }
  if (seconds < next_tidy_) return conf::success();
  next_tidy_ = seconds + kTidyEvery;
  for (auto each = seen_.begin(); each != seen_.end();) {
    if (listed.count(each->first) != 0) each->second.listed = seconds;
    each = each->second.listed + kForgetAfter < seconds ? seen_.erase(each) : std::next(each);
  }
  return rewrite();
}

size_t MailboxMemory::unread() const {
  const conf::Result<std::vector<std::string>> names = names_in(new_);
  return names.ok() ? names.value().size() : 0;
}

conf::Status MailboxMemory::append(const std::string& lines) const {
  const std::string place = folder_ + "/seen";
  const Descriptor file(::open(place.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  struct stat before {};
  if (!file.ok() || ::fstat(file.number(), &before) != 0) return io_error(place, errno);
  // The empty line ends half a line of a write that a crash cut off.
  if (conf::write_all(file.number(), "\n" + lines) && ::fsync(file.number()) == 0) return conf::success();
  const conf::Error why = io_error(place, errno);
  // The mails are given up: no whole line may say after a restart that they were taken.
  if (::ftruncate(file.number(), before.st_size) == 0) (void)::fsync(file.number());
  return why;
}

conf::Status MailboxMemory::rewrite() const {
  const std::string place = folder_ + "/seen", fresh = place + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return io_error(fresh, errno);
  std::string lines;
  bool good = true;
  for (const auto& [uid, seen] : seen_) {
    lines += line_of(seen.listed, seen.left, "-", uid);
    if (lines.size() < 65'536) continue;
    good = good && conf::write_all(file, lines);
    lines.clear();
  }
  good = good && conf::write_all(file, lines) && ::fsync(file) == 0 &&
         ::rename(fresh.c_str(), place.c_str()) == 0;
  const conf::Status status = good ? conf::success() : conf::Status(io_error(fresh, errno));
  ::close(file);
  return status.ok() ? sync_folder(folder_) : status;
}

}  // namespace relay::returns
