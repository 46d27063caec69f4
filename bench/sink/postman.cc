#include "bench/sink/postman.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "bench/personality/late_report.h"
#include "relay/smtp/client_session.h"

namespace bench {
namespace {

using relay::smtp::ClientEvent;
using relay::smtp::ClientSession;
using Outcome = relay::smtp::RecipientOutcome::Kind;

constexpr size_t kMaxWaiting = 50'000;  // of at most some 5 KB each
constexpr size_t kMaxPerConnection = 100;
constexpr uint32_t kMaxTries = 5;
constexpr conf::Duration kRetryAfter{2'000'000};
constexpr int kPatienceMs = 10'000;  // for a connection, and for each reply

conf::Instant now() { return conf::SystemClock().now(); }

bool is_ready(int fd, short events) {
  pollfd wait{fd, events, 0};
  return ::poll(&wait, 1, kPatienceMs) == 1;
}

int connected(const SocketAddress& to, std::string* trouble) {
  const conf::Result<int> fd = start_connect(to);
  int error = 0;
  socklen_t size = sizeof error;
  if (!fd.ok()) {
    *trouble = fd.error().detail;
    return -1;
  }
  if (!is_ready(fd.value(), POLLOUT))
    error = ETIMEDOUT;
  else
    getsockopt(fd.value(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return fd.value();
  *trouble = "cannot connect to " + to.text + ": " + std::strerror(error);
  ::close(fd.value());
  return -1;
}

bool flush(int fd, relay::OutQueue* out) {
  while (!out->empty()) {
    const std::string_view run = out->front();
    const ssize_t sent = ::send(fd, run.data(), run.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      out->consume(static_cast<size_t>(sent));
    } else if (errno != EAGAIN || !is_ready(fd, POLLOUT)) {
      return false;
    }
  }
  return true;
}

// Sends what waits and takes what has come; false when the peer is gone.
bool exchange(int fd, ClientSession* session) {
  char bytes[4096];
  if (!flush(fd, session->output())) return false;
  session->on_written(now());
  if (!is_ready(fd, POLLIN)) return false;
  const ssize_t size = ::read(fd, bytes, sizeof bytes);
  if (size <= 0) return false;
  session->receive(std::string_view(bytes, static_cast<size_t>(size)), now());
  return true;
}

relay::smtp::Transaction transaction(const LateReport& report, std::string text) {
  relay::smtp::Transaction out;
  out.recipients.emplace_back();
  const conf::Result<conf::Mailbox> to = conf::Mailbox::parse(report.reverse_path);
  if (to.ok()) out.recipients.front().mailbox = to.value();
  out.body = conf::Bytes(std::move(text));
  return out;
}

}  // namespace

conf::Status Postman::allowed(const SocketAddress& to, bool anywhere) {
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&to.storage);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&to.storage);
  const bool loopback = to.storage.ss_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
                                                        : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  if (loopback || anywhere) return conf::success();
  return conf::Error{
      conf::ErrorCode::kRefused,
      to.text + " is not on the loopback network: late reports go there only with --reports-anywhere"};
}

Postman::Postman(SocketAddress to, std::string hostname)
    : to_(std::move(to)), hostname_(std::move(hostname)) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the main thread's
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Postman::~Postman() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }
  changed_.notify_one();
  thread_.join();
}

void Postman::post(LateReport report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (letters_.size() >= kMaxWaiting) {
    ++totals_.overflow;
    return;
  }
  const conf::Instant due = now() + report.after;
  letters_.emplace(due, Letter{std::move(report), conf::SystemClock().wall(), 0});
  changed_.notify_one();
}

PostTotals Postman::totals() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  PostTotals totals = totals_;
  totals.waiting = letters_.size() + carried_;
  return totals;
}

void Postman::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    std::vector<Letter> letters = due_letters(&lock);
    if (letters.empty()) continue;
    lock.unlock();
    carry(&letters);
    lock.lock();
  }
}

// Waits for the next that is due; none when it was woken for something else.
std::vector<Postman::Letter> Postman::due_letters(std::unique_lock<std::mutex>* lock) {
  const conf::Duration wait = letters_.empty() ? conf::Duration(1'000'000) : letters_.begin()->first - now();
  if (wait.count() > 0) changed_.wait_for(*lock, std::min(wait, conf::Duration(1'000'000)));
  std::vector<Letter> letters;
  carried_ = 0;
  while (!stopping_ && !letters_.empty() && letters_.begin()->first <= now() &&
         letters.size() < kMaxPerConnection) {
    letters.push_back(std::move(letters_.begin()->second));
    letters_.erase(letters_.begin());
    ++carried_;
  }
  return letters;
}

void Postman::carry(std::vector<Letter>* letters) {
  std::string trouble = "the connection to " + to_.text + " was lost";
  const int fd = connected(to_, &trouble);
  size_t next = 0;
  if (fd >= 0) {
    if (keep(fd)) converse(fd, letters, &next);
    (void)keep(-1);
    ::close(fd);
  }
  for (; next < letters->size(); ++next) settle(&(*letters)[next], 0, trouble);
}

bool Postman::keep(int fd) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fd_ = fd;
  return !stopping_;
}

void Postman::converse(int fd, std::vector<Letter>* letters, size_t* next) {
  relay::smtp::ClientOptions options;
  options.ehlo_name = hostname_;
  options.tls = conf::TlsMode::kOff;
  ClientSession session(options, now());
  for (;;) {
    ClientEvent event;
    while (session.next_event(&event, now())) {
      if (event.kind == ClientEvent::Kind::kReady && *next < letters->size()) {
        const Letter& letter = (*letters)[*next];
        const std::string token = std::to_string(next_token_++) + "." + std::to_string(::getpid());
        std::string text = late_report_text(letter.report, letter.arrival, conf::SystemClock().wall(), token);
        session.begin(transaction(letter.report, std::move(text)), now());
      } else if (event.kind == ClientEvent::Kind::kReady) {
        session.quit(now());
      } else if (event.kind == ClientEvent::Kind::kTransactionDone && !event.outcomes.empty()) {
        const relay::smtp::RecipientOutcome& outcome = event.outcomes.front();
        const bool sent = outcome.kind == Outcome::kDelivered || outcome.kind == Outcome::kDeliveredNoDsn;
        settle(&(*letters)[(*next)++], sent ? 250 : outcome.reply.code, outcome.reply.text());
      } else if (event.kind == ClientEvent::Kind::kClosed) {
        return;
      }
    }
    if (!exchange(fd, &session)) session.on_peer_closed("closed", now());
  }
}

void Postman::settle(Letter* letter, uint16_t code, const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  --carried_;
  if (code / 100 == 2) {
    ++totals_.sent;
    return;
  }
  totals_.last_trouble = code == 0 ? text : std::to_string(code) + " " + text;
  if (code / 100 == 5 || ++letter->tries >= kMaxTries) {
    ++totals_.refused;
    return;
  }
  letters_.emplace(now() + kRetryAfter, std::move(*letter));
}

}  // namespace bench
