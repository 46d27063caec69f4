#include "relay/admin/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace relay::admin {
namespace {

using conf::Error;
using conf::ErrorCode;

Error failed(const std::string& what, const std::string& path, const std::string& advice = "") {
  const int number = errno;
  return {ErrorCode::kIo, what + " " + path + ": " + std::strerror(number) + advice};
}

conf::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.front() != '/') {
    return Error{ErrorCode::kInvalid, "admin socket \"" + path + "\": give an absolute path"};
  }
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalid, "admin socket " + path + ": the path is longer than " +
                                          std::to_string(sizeof address.sun_path - 1) + " bytes"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Zero, or the errno of connecting.
int try_connect(int fd, const sockaddr_un& address) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd, generic, sizeof address) == 0 ? 0 : errno;
}

conf::Status clear_the_way(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    return conf::success();  // bind will say what is wrong, if anything
  if (!S_ISSOCK(status.st_mode)) {
    return Error{ErrorCode::kInvalid,
                 "admin socket " + path + ": a file that is no socket is there; move it away"};
  }
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return failed("cannot make a socket for", path);
  const int trouble = try_connect(probe, address);
  ::close(probe);
  if (trouble == ECONNREFUSED) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return failed("cannot remove the stale admin socket", path);
    return conf::success();
  }
  if (trouble == ENOENT) return conf::success();
  return Error{ErrorCode::kRefused,
               "admin socket " + path + ": another process answers there" +
                   (trouble == 0 ? "" : std::string(" (") + std::strerror(trouble) + ")") +
                   "; is penstock running already?"};
}

}  // namespace

conf::Result<int> listen_at(const std::string& path) {
  const conf::Result<sockaddr_un> address = address_of(path);
  if (!address.ok()) return address.error();
  if (conf::Status clear = clear_the_way(path, address.value()); !clear.ok()) return clear.error();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed("cannot make a socket for", path);
  // Linux gives the file the mode of the socket less the umask: never wider than 0660, not even for a moment.
  // The chmod after it brings back what the umask took.
  ::fchmod(fd, 0660);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address.value());
  if (::bind(fd, generic, sizeof(sockaddr_un)) != 0) {
    const char* advice = errno == ENOENT ? "; make its folder, or set [admin] socket" : "";
    const Error error = failed("cannot bind the admin socket", path, advice);
    ::close(fd);
    return error;
  }
  if (::chmod(path.c_str(), 0660) != 0 || ::listen(fd, 64) != 0) {
    const Error error = failed("cannot listen on the admin socket", path);
    ::close(fd);
    ::unlink(path.c_str());
    return error;
  }
  return fd;
}

conf::Result<int> connect_to(const std::string& path, int timeout_seconds) {
  const conf::Result<sockaddr_un> address = address_of(path);
  if (!address.ok()) return address.error();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("cannot make a socket for", path);
  timeval timeout{};
  timeout.tv_sec = timeout_seconds;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  const int trouble = try_connect(fd, address.value());
  if (trouble == 0) return fd;
  ::close(fd);
  const char* advice = trouble == EACCES ? "; you need the rights of the socket's group"
                       : trouble == ENOENT || trouble == ECONNREFUSED ? "; is penstock running?"
                                                                      : "";
  errno = trouble;
  return failed("cannot reach penstock at", path, advice);
}

}  // namespace relay::admin
