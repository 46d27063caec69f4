// A disk that forgets at a power cut what was not synced, for a program that is started with this in
// LD_PRELOAD. It writes down, in the file $LOSSY_LOG, what each pwrite() to a file below $LOSSY_DIR put in
// the place of what, and each sync; crash.py then undoes, after a kill, a part of what was not synced. While
// the file $LOSSY_FAIL is there, syncs fail with EIO, and what they should have written is forgotten at once,
// as Linux does (fsync(2)).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Written {
  off_t at = 0;
  size_t size = 0;
};

struct Disk {
  std::mutex mutex;
  const std::string folder = text_of("LOSSY_DIR") + "/";
  const std::string fail = text_of("LOSSY_FAIL");
  const int log = ::open(text_of("LOSSY_LOG").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  uint64_t sequence = 0;
  std::map<std::string, std::vector<Written>> unsynced;  // only for LOSSY_FAIL

  static std::string text_of(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? std::string() : text;
  }
};

Disk& disk() {
  static auto* disk = new Disk;  // outlives all threads
  return *disk;
}

// Empty: not a file that we look after.
std::string path_of(int fd) {
  char path[4096];
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  const std::string found(path, size < 0 ? 0 : static_cast<size_t>(size));
  return disk().folder.size() > 1 && found.starts_with(disk().folder) ? found : std::string();
}

void append(std::string* out, uint64_t number) {
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(number >> (8 * i)));
}

// A letter, the sequence, four numbers, then the path and the octets that were there before.
void note(char letter, const std::string& path, off_t at, size_t size, const std::string& before) {
  std::string line(1, letter);
  append(&line, ++disk().sequence);
  append(&line, static_cast<uint64_t>(at));
  append(&line, size);
  append(&line, path.size());
  append(&line, before.size());
  line += path + before;
  (void)!::write(disk().log, line.data(), line.size());
}

ssize_t write_noted(int fd, const void* from, size_t size, off_t at) {
  const std::string path = path_of(fd);
  if (path.empty()) return syscall(SYS_pwrite64, fd, from, size, at);
  const std::lock_guard lock(disk().mutex);
  std::string before(size, '\0');
  const int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // the other may be for writing only
  const ssize_t got = reader < 0 ? 0 : ::pread(reader, before.data(), size, at);
  if (reader >= 0) syscall(SYS_close, reader);
  before.resize(got < 0 ? 0 : static_cast<size_t>(got));
  note('W', path, at, size, before);
  disk().unsynced[path].push_back({at, size});
  return syscall(SYS_pwrite64, fd, from, size, at);
}

int sync_noted(int fd, long call) {
  const std::string path = path_of(fd);
  if (path.empty()) return static_cast<int>(syscall(call, fd));
  const std::lock_guard lock(disk().mutex);
  if (!disk().fail.empty() && ::access(disk().fail.c_str(), F_OK) == 0) {
    for (const Written& each : disk().unsynced[path]) {
      const std::string zeros(each.size, '\0');
      syscall(SYS_pwrite64, fd, zeros.data(), zeros.size(), each.at);
    }
    disk().unsynced.erase(path);
    errno = EIO;
    return -1;
  }
  const int result = static_cast<int>(syscall(call, fd));
  if (result == 0) {
    note('S', path, 0, 0, "");
    disk().unsynced.erase(path);
  }
  return result;
}

}  // namespace

extern "C" ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
  return write_noted(fd, from, size, at);
}
extern "C" ssize_t pwrite64(int fd, const void* from, size_t size, off_t at) {
  return write_noted(fd, from, size, at);
}
extern "C" int fdatasync(int fd) { return sync_noted(fd, SYS_fdatasync); }
extern "C" int fsync(int fd) { return sync_noted(fd, SYS_fsync); }
