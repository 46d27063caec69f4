#include "relay/admin/admin_client.h"
#include "conf/vocab/ascii.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "conf/vocab/text.h"
#include "relay/admin/unix_socket.h"

namespace relay::admin {
namespace {

using conf::Error;
using conf::ErrorCode;

constexpr int kTimeoutSeconds = 60;              // a scan of a large spool takes a while
constexpr size_t kMaxReply = 256 * 1024 * 1024;  // 10,000 messages with all that a list shows of each

Error trouble(const char* doing) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    return {ErrorCode::kTimeout, "penstock does not answer on its admin socket"};
  }
  return {ErrorCode::kIo, std::string(doing) + " the admin socket: " + std::strerror(errno)};
}

conf::Status send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return trouble("cannot write to");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return conf::success();
}

conf::Result<std::string> read_all(int fd) {
  std::string all;
  char piece[65536];
  while (true) {
    const ssize_t count = ::recv(fd, piece, sizeof piece, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return trouble("cannot read from");
    if (count == 0) return all;
    all.append(piece, static_cast<size_t>(count));
    if (all.size() > kMaxReply)
      return Error{ErrorCode::kLimit, "the answer of penstock is too long; use --limit"};
  }
}

// The value of a field of the header; empty when there is none.
std::string_view field(std::string_view header, std::string_view lower_case_name) {
  while (!header.empty()) {
    const size_t end = std::min(header.find("\r\n"), header.size());
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(std::min(end + 2, header.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !conf::equal_ignoring_case(line.substr(0, colon), lower_case_name))
      continue;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return value;
  }
  return {};
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved =
        conf::is_letter(c) || conf::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out.push_back('%');
      conf::append_hex(c, &out);
    }
  }
  return out;
}

conf::Result<HttpReply> parse_reply(std::string_view wire) {
  const auto bad = [](const char* what) {
    return Error{ErrorCode::kInvalid, std::string("the admin socket does not speak our HTTP: ") + what};
  };
  HttpReply reply;
  if (wire.substr(0, 7) != "HTTP/1." || wire.size() < 13) return bad("no status line");
  const auto parsed = std::from_chars(wire.data() + 9, wire.data() + 12, reply.status);
  if (parsed.ec != std::errc() || parsed.ptr != wire.data() + 12) return bad("no status code");
  const size_t end = wire.find("\r\n\r\n");
  if (end == std::string_view::npos) return bad("the header has no end");
  const std::string_view header = wire.substr(0, end);
  const std::string_view body = wire.substr(end + 4);
  if (reply.status == 100) return parse_reply(body);
  if (!field(header, "transfer-encoding").empty()) return bad("a transfer encoding");
  const std::string_view length_text = field(header, "content-length");
  size_t length = body.size();
  if (!length_text.empty()) {
    const char* last = length_text.data() + length_text.size();
    const auto number = std::from_chars(length_text.data(), last, length);
    if (number.ec != std::errc() || number.ptr != last) return bad("Content-Length is no number");
    if (length > body.size()) return bad("the answer was cut short");
  }
  reply.body = body.substr(0, length);
  return reply;
}

conf::Result<HttpReply> request(const std::string& socket, const std::string& method,
                                const std::string& target, const std::string& body) {
  const conf::Result<int> fd = connect_to(socket, kTimeoutSeconds);
  if (!fd.ok()) return fd.error();
  std::string head = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  if (method == "POST") {
    head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  const conf::Status sent = send_all(fd.value(), head + "\r\n" + body);
  conf::Result<std::string> wire = sent.ok() ? read_all(fd.value()) : conf::Result<std::string>(sent.error());
  ::close(fd.value());
  if (!wire.ok()) return wire.error();
  return parse_reply(wire.value());
}

}  // namespace relay::admin
