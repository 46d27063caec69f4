#include "relay/uv/stream.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "relay/tls/keyed_digest.h"
#include "relay/uv/socket_address.h"

namespace relay::uv {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// A peer that asks and never reads must not fill our memory: above this much nothing more is read from it
// until all has gone, and that must happen within Loop::State::drain_time.
constexpr size_t kUnsentOctets = 64 * 1024;
constexpr size_t kRuns = 16;  // of one gathering write
// Above it a stream whose peer takes all at once goes on in the next round of the loop: others wait too.
constexpr size_t kTurnOctets = 512 * 1024;

std::string people_text(int status) {
  switch (status) {
    case UV_EOF:
      return "the peer closed the connection";
    case UV_ECONNREFUSED:
      return "connection refused";
    case UV_ECONNRESET:
    case UV_EPIPE:
      return "connection reset by peer";
    case UV_ETIMEDOUT:
      return "connection timed out";
    case UV_EHOSTUNREACH:
      return "no route to host";
    case UV_ENETUNREACH:
      return "network is unreachable";
    case UV_EADDRNOTAVAIL:
      return "the source address is not one of this machine";
    default:
      return uv_strerror(status);
  }
}

Stream* stream_of(const uv_handle_t* handle) {
  return static_cast<Stream*>(static_cast<Handle*>(handle->data));
}

}  // namespace

Stream::Stream(Loop* l, std::shared_ptr<tls::Context> tls_context, bool outbound)
    : loop(l->state()),
      tls_context_(std::move(tls_context)),
      outbound_(outbound),
      phase_(outbound ? Phase::kConnecting : Phase::kOpen) {
  uv_tcp_init(&loop->uv, &tcp);
  tcp.data = static_cast<Handle*>(this);
  deadline_.owner = turn.owner = this;
  if (outbound) ++loop->streams;
}

Stream::~Stream() {
  if (outbound_) --loop->streams;
}

void Stream::close() {
  user = nullptr;
  loop->deadlines.erase(&deadline_);
  loop->finished.erase(this);
  loop->turns.erase(&turn);
  auto* handle = reinterpret_cast<uv_handle_t*>(&tcp);
  if (uv_is_closing(handle) != 0) return;
  const auto done = [](uv_handle_t* closed) {
    Stream* stream = stream_of(closed);
    if (stream->in_news_) std::erase(stream->loop->news, stream);
    delete stream;
  };
  // The kernel would go on with what it holds, and the receiver would count a connection that nobody has.
  const bool cut_off = outbound_ && (finishes() || (phase_ == Phase::kOpen && !all_gone()));
  if (!cut_off || uv_tcp_close_reset(&tcp, done) != 0) uv_close(handle, done);
  place.reset();
}

// The port is chosen when connecting, per destination, so that thousands of connections do not use up one
// range.
int Stream::bind_source(const sockaddr_storage& source) {
  const int fd = socket(source.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return uv_translate_sys_error(errno);
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const int status = uv_tcp_open(&tcp, fd);
  if (status != 0) {
    ::close(fd);
    return status;
  }
  return uv_tcp_bind(&tcp, reinterpret_cast<const sockaddr*>(&source), 0);
}

void Stream::connect(const ConnectTarget& target) {
  sockaddr_storage address, source;
  int status = to_sockaddr(target.address, target.port, &address) ? 0 : UV_EINVAL;
  if (status == 0) turn.party = network_of(address);
  if (status == 0 && !target.source_address.empty()) {
    status = to_sockaddr(target.source_address, 0, &source) ? 0 : UV_EINVAL;
    if (status == 0) status = bind_source(source);
  }
  if (status == 0) {
    connect_request_.data = this;
    status = uv_tcp_connect(&connect_request_, &tcp, reinterpret_cast<const sockaddr*>(&address),
                            [](uv_connect_t* request, int result) {
                              auto* stream = static_cast<Stream*>(request->data);
                              stream->loop->stirred = true;
                              if (stream->user == nullptr || stream->phase_ != Phase::kConnecting) return;
                              if (result != 0) {
                                stream->fail(result);
                                return;
                              }
                              stream->phase_ = Phase::kOpen;
                              uv_tcp_nodelay(&stream->tcp, 1);
                              stream->read_on();
                              stream->user->on_connected();
                            });
  }
  if (status != 0) fail_later(status);
}

void Stream::note_news() {
  if (std::exchange(in_news_, true)) return;
  loop->news.push_back(this);
}

void Stream::fail_later(conf::Error why) {
  failure_ = std::move(why);
  note_news();
}

void Stream::fail_later(int status) { fail_later({conf::ErrorCode::kIo, people_text(status)}); }

void Stream::tell_news() {
  in_news_ = false;
  if (std::exchange(resting_, false) && uv_is_closing(reinterpret_cast<uv_handle_t*>(&tcp)) == 0)
    set_reading();
  const bool drained = std::exchange(drained_news_, false);
  if (std::optional<conf::Error> failure = std::exchange(failure_, std::nullopt)) {
    fail(std::move(*failure));
  } else if (drained && user != nullptr && all_gone()) {
    user->on_drained();
  }
}

void Stream::deadline_came() {
  const conf::Instant now = loop->clock.now();
  if (finishes()) {
    close();
  } else if (drain_deadline_ <= now) {
    drain_deadline_ = conf::kNever;
    fail({conf::ErrorCode::kTimeout, "the peer does not read what it is sent"});
  } else if (user_deadline_ <= now) {
    user_deadline_ = conf::kNever;
    arm_deadline();
    if (user != nullptr) user->on_deadline();
  }
}

void Stream::set_deadline(conf::Instant when) {
  user_deadline_ = when;
  arm_deadline();
}

void Stream::arm_deadline() { loop->deadlines.set(&deadline_, std::min(user_deadline_, drain_deadline_)); }

// What we send on our own account (a message) may be long; there only what the peer makes TLS say counts.
void Stream::check_choke() {
  const bool too_much = (outbound_ ? tls_answers_ : unsent()) > kUnsentOctets;
  if (!too_much || choked() || phase_ > Phase::kOpen) return;
  drain_deadline_ = loop->clock.now() + loop->drain_time;
  arm_deadline();
  set_reading();
}

// libuv would read up to 32 buffers in a row from a peer that sends faster than we handle. Who fills one has
// the next one in the next round of the loop; most mails are smaller than a buffer and never come here.
void Stream::rest() {
  resting_ = true;
  set_reading();
  note_news();
}

void Stream::read_on() {
  reading_wanted_ = true;
  set_reading();
}

void Stream::read_off() {
  reading_wanted_ = false;
  set_reading();
}

void Stream::set_reading() {
  const bool wanted = reading_wanted_ && carries() && !choked() && !handshake_waits_ && !resting_;
  if (wanted == reading_) return;
  reading_ = wanted;
  if (!wanted) {
    uv_read_stop(reinterpret_cast<uv_stream_t*>(&tcp));
    return;
  }
  const int status = uv_read_start(
      reinterpret_cast<uv_stream_t*>(&tcp),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        std::vector<char>& shared = stream_of(handle)->loop->read_buffer;
        *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
      },
      &Stream::on_read);
  if (status != 0) fail_later(status);
}

void Stream::on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
  Stream* stream = stream_of(reinterpret_cast<uv_handle_t*>(handle));
  stream->loop->stirred = true;
  if (count > 0) {
    const bool inbound = !stream->outbound_;
    if (static_cast<size_t>(count) == buffer->len) stream->rest();
    stream->received({buffer->base, static_cast<size_t>(count)});
    if (inbound) tls::cleanse(buffer->base, static_cast<size_t>(count));  // it may have been a password
  } else if (count < 0) {
    stream->fail(static_cast<int>(count));
  }
}

void Stream::received(std::string_view bytes) {
  if (user == nullptr) return;  // finishing: nobody wants it any more
  if (tls_ != nullptr) {
    received_cipher(bytes);
  } else {
    user->on_bytes(bytes);
  }
}

void Stream::flush() {
  if (!carries()) return;
  size_t given = 0;
  while (writing_.empty() && (!out_.empty() || encrypt_some())) {
    const size_t taken = write_some(given < kTurnOctets);
    if (taken == 0) return;
    given += taken;
  }
  if (!all_gone()) return;
  tls_answers_ = 0;
  if (choked()) {
    drain_deadline_ = conf::kNever;
    arm_deadline();
    set_reading();
  }
  if (finishes()) {
    go_on_finishing();
  } else {
    drained_news_ = true;
    note_news();
  }
}

size_t Stream::write_some(bool may_try) {
  std::string_view runs[kRuns];
  uv_buf_t buffers[kRuns];
  size_t count = out_.peek(runs, kRuns);
  for (size_t i = 0; i < count; ++i) {
    buffers[i] = uv_buf_init(const_cast<char*>(runs[i].data()), static_cast<unsigned>(runs[i].size()));
  }
  auto* handle = reinterpret_cast<uv_stream_t*>(&tcp);
  const int written = may_try ? uv_try_write(handle, buffers, static_cast<unsigned>(count)) : UV_EAGAIN;
  if (written > 0) {
    out_.consume(static_cast<size_t>(written));
    return static_cast<size_t>(written);
  }
  if (written != UV_EAGAIN && written != 0) {
    fail_later(written);
    return 0;
  }
  writing_.take(&out_);
  count = writing_.peek(runs, kRuns);
  for (size_t i = 0; i < count; ++i) {
    buffers[i] = uv_buf_init(const_cast<char*>(runs[i].data()), static_cast<unsigned>(runs[i].size()));
  }
  write_request_.data = this;
  const int status = uv_write(
      &write_request_, handle, buffers, static_cast<unsigned>(count), [](uv_write_t* request, int result) {
        auto* stream = static_cast<Stream*>(request->data);
        stream->loop->stirred = true;
        if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&stream->tcp)) != 0) return;
        if (result != 0) {
          stream->fail(result);
          return;
        }
        std::string_view done[kRuns];
        size_t bytes = 0;
        const size_t runs_done = stream->writing_.peek(done, kRuns);
        for (size_t i = 0; i < runs_done; ++i) bytes += done[i].size();
        stream->writing_.consume(bytes);
        stream->writing_.take(&stream->out_);  // what is left comes before what was added since
        std::swap(stream->writing_, stream->out_);
        stream->flush();
      });
  if (status != 0) fail_later(status);
  return 0;
}

void Stream::fail(int status) {
  fail({status == UV_EOF || status == UV_ECONNRESET ? conf::ErrorCode::kClosed : conf::ErrorCode::kIo,
        people_text(status)});
}

void Stream::fail(conf::Error why) {
  if (phase_ == Phase::kFailed) return;
  const bool finished = finishes();
  phase_ = Phase::kFailed;
  loop->turns.erase(&turn);
  read_off();
  if (finished) {
    close();
    return;
  }
  if (user == nullptr) return;
  if (tls_ != nullptr && !tls_told_) {
    tls_told_ = true;
    user->on_tls(conf::Error{why.code, why.code == conf::ErrorCode::kRefused
                                           ? why.detail
                                           : "the TLS handshake ended: " + why.detail});
    return;
  }
  user->on_closed(why);
}

// The last bytes, then FIN, then what the peer still says is read and dropped until it closes too: closing
// with unread bytes would reset the connection and could destroy our last reply on its way.
void Stream::finish() {
  user = nullptr;
  if (!carries()) {
    close();
    return;
  }
  phase_ = Phase::kFinishing;
  if (!outbound_) loop->finished.insert(this);
  drop_handshake();
  drain_deadline_ = conf::kNever;  // what it still says is dropped
  set_deadline(loop->clock.now() + loop->finish_time);
  read_on();
  flush();
}

void Stream::go_on_finishing() {
  if (tls_ != nullptr && phase_ == Phase::kFinishing) {
    phase_ = Phase::kTlsClosing;
    tls_->close();
    move_cipher();
    if (!out_.empty()) return flush();
  }
  if (phase_ == Phase::kShut) return;
  phase_ = Phase::kShut;
  shutdown_request_.data = this;
  const int status =
      uv_shutdown(&shutdown_request_, reinterpret_cast<uv_stream_t*>(&tcp), [](uv_shutdown_t*, int) {});
  if (status != 0) close();
}

}  // namespace relay::uv
