// What a Stream writes and reads when TLS is on, and without.
#include <algorithm>
#include <string>
#include <utility>

#include "relay/tls/keyed_digest.h"
#include "relay/uv/stream.h"

namespace relay::uv {

namespace {
// Encrypted at a time: a peer that does not read costs us no more than this.
constexpr size_t kPieceOctets = 64 * 1024;
// What is no more than this asks for no turn: commands, replies, the usual message.
constexpr size_t kFreeOctets = 32 * 1024;
// A step of a handshake, in octets encrypted: a signature takes as long as these or longer.
constexpr size_t kHandshakeWork = 512 * 1024;
}  // namespace

bool Stream::may_work(size_t work) {
  if (std::exchange(my_turn_, false)) {
    loop->may_work(work);
    return true;
  }
  if (loop->turns.empty() && loop->may_work(work)) return true;
  loop->wait_for(&turn);
  return false;
}

void Stream::turn_came() {
  my_turn_ = true;
  if (!handshake_waits_) {
    flush();
  } else {
    handshake_waits_ = false;
    set_reading();
    const std::string cipher = std::exchange(cipher_, {});
    received_cipher(cipher);
  }
  my_turn_ = false;
}

void Stream::drop_handshake() {
  if (!std::exchange(handshake_waits_, false)) return;
  loop->turns.erase(&turn);
  cipher_.clear();
}

// Whoever wants handshakes, all at once and without end, takes turns with the others.
void Stream::received_cipher(std::string_view bytes) {
  if (!tls_->established() && !may_work(kHandshakeWork)) {
    handshake_waits_ = true;
    cipher_.append(bytes);
    set_reading();
    return;
  }
  take_cipher(bytes);
}

void Stream::take_cipher(std::string_view bytes) {
  plain_.clear();
  const conf::Status status = tls_->receive(bytes, &plain_);
  tls_answers_ += tls_->pending().size();
  move_cipher();
  flush();
  check_choke();
  if (!tls_told_ && (tls_->established() || !status.ok())) {
    tls_told_ = true;
    if (!status.ok()) {
      user->on_tls(status.error());
      return;
    }
    user->on_tls(tls_->info());
    if (user == nullptr) return;
  }
  if (!plain_.empty()) {
    std::string plain = std::exchange(plain_, {});
    user->on_bytes(plain);
    tls::cleanse(plain.data(), plain.size());  // it may have been a password
    if (user == nullptr) return;
  }
  if (!status.ok()) {
    fail(status.error());
  } else if (tls_->peer_closed()) {
    fail(UV_EOF);
  }
}

void Stream::start_tls(const Transport::TlsRequest& request) {
  tls_told_ = false;
  if (tls_context_ == nullptr) return fail_later({conf::ErrorCode::kIo, "TLS is not set up"});
  tls_ = outbound_ ? tls::Session::connect(tls_context_, request) : tls::Session::accept(tls_context_);
  read_on();
  if (outbound_ && !may_work(kHandshakeWork)) {
    handshake_waits_ = true;
    return set_reading();
  }
  std::string nothing;
  const conf::Status begun = tls_->receive({}, &nothing);  // the client's first flight
  if (!begun.ok()) return fail_later(begun.error());
  move_cipher();
  flush();
}

void Stream::move_cipher() {
  while (!tls_->pending().empty()) {
    const std::string_view cipher = tls_->pending();
    out_.append(cipher);
    tls_->consume(cipher.size());
  }
}

// The next piece, when the kernel has taken the one before.
bool Stream::encrypt_some() {
  if (clear_.empty()) return false;
  if (clear_.size() > kFreeOctets && !may_work(std::min(clear_.size(), kPieceOctets))) return false;
  for (size_t taken = 0; taken < kPieceOctets && !clear_.empty();) {
    const std::string_view run = clear_.front().substr(0, kPieceOctets - taken);
    const conf::Status sent = tls_->send(run);
    if (!sent.ok()) {
      clear_.clear();
      fail_later(sent.error());
      return false;
    }
    taken += run.size();
    clear_.consume(run.size());
  }
  move_cipher();
  return !out_.empty();
}

void Stream::write(OutQueue* out) {
  if (phase_ == Phase::kFailed) {
    out->clear();
    return;
  }
  (tls_ != nullptr ? clear_ : out_).take(out);
  flush();
  check_choke();
}

}  // namespace relay::uv
