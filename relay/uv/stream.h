// One TCP stream on the loop, with or without TLS. It lives until libuv has closed it, which may be later
// than the Transport that the rest of the relay holds. For this folder.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "relay/net/deadlines.h"
#include "relay/net/out_queue.h"
#include "relay/net/transport.h"
#include "relay/tls/session.h"
#include "relay/uv/loop_state.h"

namespace relay::uv {

// What stands in the `data` of every uv_tcp_t, so that the loop can close what is left.
struct Handle {
  virtual ~Handle() = default;
  virtual void close() = 0;
};

struct Stream final : Handle {
  Stream(Loop* loop, std::shared_ptr<tls::Context> tls_context, bool outbound);
  ~Stream() override;

  void connect(const ConnectTarget& target);
  void write(OutQueue* out);
  void start_tls(const Transport::TlsRequest& request);
  void read_on();
  void read_off();  // by the user; while choked nothing is read whatever he wants
  void set_deadline(conf::Instant when);
  void finish();
  void close() override;  // at once; no callback follows

  size_t unsent() const { return clear_.size() + out_.size() + writing_.size(); }

  void tell_news();
  void deadline_came();
  void turn_came();  // what waited for it has to be done, whatever is left of the round's work

  uv_tcp_t tcp{};
  Loop::State* loop;
  TransportUser* user = nullptr;
  Turn turn;                          // its party: network_of() the peer
  std::shared_ptr<const void> place;  // given back when the descriptor is

 private:
  int bind_source(const sockaddr_storage& source);
  void flush();
  // How much the kernel took at once; 0: no more now, a write request is under way.
  size_t write_some(bool may_try);
  bool encrypt_some();  // false: nothing is left, or TLS is broken
  bool all_gone() const { return writing_.empty() && out_.empty() && clear_.empty(); }
  void move_cipher();
  void received(std::string_view bytes);
  void received_cipher(std::string_view bytes);
  void take_cipher(std::string_view bytes);
  bool may_work(size_t work);  // false: its turn will come
  void drop_handshake();
  void fail(int status);
  void fail(conf::Error why);
  void fail_later(conf::Error why);  // as news: the user is not called back out of his own call
  void fail_later(int status);
  void note_news();
  void go_on_finishing();
  void set_reading();
  void rest();
  void check_choke();
  void arm_deadline();
  static void on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer);

  // On its way from the first to the last; kFailed comes after any of them.
  enum class Phase : uint8_t {
    kConnecting,
    kOpen,
    kFinishing,   // no user any more; the last bytes go
    kTlsClosing,  // close_notify goes after them
    kShut,        // FIN goes, and what the peer still says is dropped
    kFailed,      // nothing is read or written any more
  };
  bool finishes() const { return phase_ > Phase::kOpen && phase_ < Phase::kFailed; }
  bool carries() const { return phase_ > Phase::kConnecting && phase_ < Phase::kFailed; }  // bytes, both ways
  bool choked() const { return drain_deadline_ != conf::kNever; }

  std::shared_ptr<tls::Context> tls_context_;
  std::unique_ptr<tls::Session> tls_;
  std::string cipher_;  // received, while the handshake waits for its turn
  std::string plain_;   // decrypted, being given to the user
  OutQueue clear_;      // not yet encrypted: a body is shared here, encrypted it would be one more copy
  OutQueue out_;        // not yet given to the kernel
  OutQueue writing_;    // held still for the write request that is under way; empty: none is
  uv_connect_t connect_request_{};
  uv_write_t write_request_{};
  uv_shutdown_t shutdown_request_{};
  Deadline deadline_;  // the earlier one of the next two
  conf::Instant user_deadline_ = conf::kNever;
  // Choked until what is unsent has gone, by then at the latest: the peer takes nothing, so that nothing more
  // is taken from it. kNever: it is not.
  conf::Instant drain_deadline_ = conf::kNever;
  size_t tls_answers_ = 0;              // octets that TLS itself wrote since the last drain
  std::optional<conf::Error> failure_;  // to be told as news
  const bool outbound_;
  Phase phase_;
  bool reading_wanted_ = false;   // by the user
  bool reading_ = false;          // as libuv was told
  bool handshake_waits_ = false;  // for its turn, and nothing is read
  bool my_turn_ = false;          // within turn_came(): what is done asks for no other
  bool resting_ = false;          // it filled a buffer: the others are read from first
  bool tls_told_ = false;         // how the handshake ended
  bool drained_news_ = false;     // all has gone: to be told as news
  bool in_news_ = false;          // it stands in Loop::State::news
};

}  // namespace relay::uv
