// One session on its socket: reading, TLS, slow replies, writing, closing.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "bench/sink/server.h"

namespace bench {
namespace {

constexpr int64_t kLingerUs = 2'000'000;
constexpr int kEndlessLines = 100;

}  // namespace

void Server::readable(Session* session) {
  if (session->delayed || !session->unsent().empty()) return;
  const ssize_t size = ::read(session->fd, buffer_.data(), buffer_.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return close_session(session);
  if (session->lingering) return;
  const std::string_view bytes(buffer_.data(), static_cast<size_t>(size));
  if (!session->tls) {
    take(session, bytes);
  } else {
    std::string plain;
    session->ending = !session->tls->receive(bytes, &plain, &session->wire);
    if (session->tls->established() && !std::exchange(session->secret, true))
      session->receiver.tls_established();
    take(session, plain);
  }
  write_out(session);
}

void Server::take(Session* session, std::string_view bytes) {
  Receiver& receiver = session->receiver;
  receiver.set_now(conf::SystemClock().now());
  while (!bytes.empty() && !receiver.finished() && !session->delayed) {
    bytes.remove_prefix(receiver.feed(bytes, &session->output));
    if (receiver.message_taken()) took_message(session);
    hold(session, bytes);
  }
  // An id is in the file before its 250 is on the wire.
  if (!ids_.flush()) std::fprintf(stderr, "penstock-sink: id file: %s\n", std::strerror(errno));
  Handshake how = Handshake::kGood;
  if (!session->delayed && receiver.starts_tls(&how)) begin_tls(session, how);
}

void Server::took_message(Session* session) {
  Receiver& receiver = session->receiver;
  if (!receiver.message_id().empty()) ids_.add(receiver.message_id());
  for (const uint32_t slot : receiver.slots()) id_count_.add(receiver.message_id(), slot);
  for (LateReport& report : receiver.take_late())
    if (postman_) postman_->post(std::move(report));
  const bool twice = receiver.says_twice();
  if (receiver.reply_lost(session->output)) return;
  session->output.append(Receiver::accept_reply());
  if (twice) session->output.append(Receiver::accept_reply());
}

void Server::begin_tls(Session* session, Handshake how) {
  const Site* site = session->receiver.site();
  std::shared_ptr<relay::tls::Context>& context = contexts_[site];
  if (!context) {
    const Group& group = site->group();
    std::vector<std::string> names = group.hosts;
    if (!group.tls_name.empty()) names = {group.tls_name};
    if (names.empty()) names = {options_.hostname};
    conf::Result<std::shared_ptr<relay::tls::Context>> made = relay::tls::Context::self_signed(names);
    if (!made.ok()) {
      trouble_ = made.error();
      session->ending = true;
      return;
    }
    context = std::move(made.value());
  }
  session->wire = std::exchange(session->output, {});  // the 220 goes out in the clear
  session->tls = std::make_unique<TlsEnd>(context, how);
}

// When the receiver thinks first: what it says, and what the sender has said since, wait.
void Server::hold(Session* session, std::string_view unread) {
  size_t from = 0;
  const conf::Duration pause = session->receiver.pause(&from);
  if (pause.count() == 0) return;
  session->delayed = true;
  session->held = session->output.substr(from);
  session->output.resize(from);
  session->unread.assign(unread);
  due_.push({now_us() + pause.count(), session->fd, session->serial});
}

void Server::answer_due(int64_t now) {
  while (!due_.empty() && due_.top().at_us <= now) {
    const Due due = due_.top();
    due_.pop();
    Session* session = sessions_[static_cast<size_t>(due.fd)].get();
    if (session == nullptr || session->serial != due.serial) continue;
    if (session->lingering) {
      close_session(session);
      continue;
    }
    session->delayed = false;
    session->output.append(session->held);
    session->held.clear();
    std::string unread;
    unread.swap(session->unread);
    take(session, unread);
    write_out(session);
  }
}

bool Server::write_out(Session* session) {
  if (session->receiver.endless() && session->output.empty() && session->unsent().empty())
    for (int i = 0; i < kEndlessLines; ++i) session->output.append(Receiver::endless_line());
  const Group* group = session->receiver.group();
  if (group != nullptr && group->bare_lf) std::erase(session->output, '\r');
  if (session->secret && !session->output.empty()) {
    session->tls->send(session->output, &session->wire);
    session->output.clear();
  }
  std::string& unsent = session->unsent();
  const bool by_octets = group != nullptr && group->octets;
  size_t sent = 0;
  while (sent < unsent.size()) {
    const size_t most = by_octets ? 1 : unsent.size() - sent;
    const ssize_t size = ::send(session->fd, unsent.data() + sent, most, MSG_NOSIGNAL);
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) {
      close_session(session);
      return false;
    }
    sent += static_cast<size_t>(size);
    if (by_octets) break;  // the next one with the next turn
  }
  unsent.erase(0, sent);
  if (unsent.empty() && !session->delayed && (session->receiver.finished() || session->ending))
    return finish(session);
  watch(session);
  return true;
}

// Closing with bytes unread would reset the connection and could take the last reply with it. So a refusal
// that ends the session only shuts this side, and waits a little for the sender.
bool Server::finish(Session* session) {
  if (session->lingering) return true;
  if (!session->receiver.lingers()) {
    close_session(session);
    return false;
  }
  session->lingering = true;
  session->receiver.sender_left();
  ::shutdown(session->fd, SHUT_WR);
  due_.push({now_us() + kLingerUs, session->fd, session->serial});
  watch(session);
  return true;
}

// A session whose reply waits does not read: its sender feels the brake. Level-triggered input would spin
// otherwise.
void Server::watch(Session* session) {
  const bool writes = !session->unsent().empty() || session->receiver.endless();
  const uint32_t wanted = writes             ? static_cast<uint32_t>(EPOLLOUT)
                          : session->delayed ? 0U
                                             : static_cast<uint32_t>(EPOLLIN);
  if (wanted == session->watched) return;
  session->watched = wanted;
  epoll_event event{};
  event.events = wanted;
  event.data.fd = session->fd;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, session->fd, &event);
}

void Server::close_session(Session* session) {
  ::close(session->fd);
  --tally_.open;
  sessions_[static_cast<size_t>(session->fd)].reset();
}

}  // namespace bench
