// The seam between the protocol and the world. A Transport is one byte stream; libuv implements it for the
// daemon (relay/uv), the simulated network for tests/sim. It decides nothing. Everything happens on the
// loop's thread.
//
// Re-entrancy rule: a Transport never calls its user from inside a call that the user made to it; it reports
// later, from the loop. A user may destroy its Transport from inside any of its callbacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/net/out_queue.h"

namespace relay {

struct TlsInfo {
  std::string version;  // "TLSv1.3"
  std::string cipher;
  bool verified = false;  // chain and name were checked and are good
  bool resumed = false;
};

class TransportUser {
 public:
  virtual ~TransportUser() = default;
  virtual void on_connected() = 0;                    // outbound only
  virtual void on_bytes(std::string_view bytes) = 0;  // decrypted when TLS is on
  virtual void on_tls(
      conf::Result<TlsInfo> outcome) = 0;              // after start_tls; on failure the stream is unusable
  virtual void on_drained() = 0;                       // everything written has reached the kernel
  virtual void on_closed(const conf::Error& why) = 0;  // peer closed, reset, or connect failed; last callback
  virtual void on_deadline() = 0;                      // the time set by set_deadline has come
};

class Transport {
 public:
  // Closes at once, drops unsent bytes; no callback follows. What was connected and has such bytes is reset.
  virtual ~Transport() = default;
  // Who hears from now on. An accepted stream has none until this is called, and reads nothing before.
  virtual void set_user(TransportUser* user) = 0;
  // Takes all of `out` (leaves it empty). Order is kept; written at once when the kernel takes it.
  virtual void write(OutQueue* out) = 0;
  virtual size_t unsent_bytes() const = 0;
  // Server side (accepted) or client side (connected) is known from how the stream came to be. `server_name`
  // is the SNI. Plaintext received but not yet reported is dropped (CVE-2011-0411).
  struct TlsRequest {
    std::string server_name;  // client: SNI and name to verify
    bool verify = false;      // client: chain and name must be good
    std::string session_key;  // client: sessions are kept under this key for resumption; empty: none
    bool only_13 = false;     // client: nothing below TLS 1.3
    std::string identity;     // client: the certificate of ours to show when asked; empty: none
  };
  virtual void start_tls(const TlsRequest& request) = 0;
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual void set_deadline(conf::Instant when) = 0;  // one per stream; kNever clears it
  // Sends what is queued (TLS close_notify too), then closes. No callback follows. The Transport may be
  // destroyed at once; the bytes still go out (bounded by a few seconds).
  virtual void finish() = 0;
  // Kept until the stream is really closed, which after finish() is later than the Transport's end.
  virtual void hold(std::shared_ptr<const void> place) { place_ = std::move(place); }

 private:
  std::shared_ptr<const void> place_;
};

struct ConnectTarget {
  std::string address;  // IP, no brackets
  uint16_t port = 25;
  std::string source_address;  // local IP to bind; empty: the system chooses
};

// An accepted connection, before anyone has taken it.
struct Accepted {
  std::unique_ptr<Transport> transport;
  std::string client_address;  // IP, no brackets, IPv4-mapped shown as IPv4
  // Closes at once the accepted streams of this client, or of all clients, that have got finish() and are
  // still waiting for their peers. May be empty: there are none.
  std::function<void(bool of_all)> close_finished;
};

class Network {
 public:
  virtual ~Network() = default;
  // Starts connecting; the outcome comes as on_connected or on_closed, never from inside this call.
  virtual std::unique_ptr<Transport> connect(const ConnectTarget& target, TransportUser* user) = 0;
  // So many connections may be open at once without taking what clients and the disk need. O(1).
  virtual size_t most_connections() const { return SIZE_MAX; }
};

}  // namespace relay
