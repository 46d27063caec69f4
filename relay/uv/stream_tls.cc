// What a Stream writes and reads when TLS is on, and without.
#include <utility>

#include "relay/tls/keyed_digest.h"
#include "relay/uv/stream.h"

namespace relay::uv {

namespace {
// Encrypted at a time: a peer that does not read costs us no more than this.
constexpr size_t kPieceOctets = 64 * 1024;
}  // namespace

void Stream::received_cipher(std::string_view bytes) {
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
  if (tls_context_ == nullptr) {
    failure_ = {conf::ErrorCode::kIo, "TLS is not set up"};
    failed_news_ = true;
    note_news();
    return;
  }
  tls_ = outbound_ ? tls::Session::connect(tls_context_, request) : tls::Session::accept(tls_context_);
  read_on();
  std::string nothing;
  const conf::Status begun = tls_->receive({}, &nothing);  // the client's first flight
  if (!begun.ok()) {
    failure_ = begun.error();
    failed_news_ = true;
    note_news();
    return;
  }
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
  for (size_t taken = 0; taken < kPieceOctets && !clear_.empty();) {
    const std::string_view run = clear_.front().substr(0, kPieceOctets - taken);
    const conf::Status sent = tls_->send(run);
    if (!sent.ok()) {
      clear_.clear();
      failure_ = sent.error();
      failed_news_ = true;
      note_news();
      return false;
    }
    taken += run.size();
    clear_.consume(run.size());
  }
  move_cipher();
  return !out_.empty();
}

void Stream::write(OutQueue* out) {
  if (failed_) {
    out->clear();
    return;
  }
  (tls_ != nullptr ? clear_ : out_).take(out);
  flush();
  check_choke();
}

}  // namespace relay::uv
