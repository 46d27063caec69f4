// A hostile server: whatever it says, each transaction gets one outcome for each recipient, exactly once, and
// nobody is delivered to without a positive reply after the content.
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/check.h"
#include "relay/smtp/client_session.h"

namespace {

using relay::smtp::ClientEvent;
using relay::smtp::ClientSession;
using relay::smtp::RecipientOutcome;
using relay::smtp::Transaction;

class Driver {
 public:
  Driver(const relay::smtp::ClientOptions& options) : session_(options, now_) {}

  void run(std::string_view input) {
    // A zero octet is an order of the owner, the next one says which; all else is what the server says.
    while (!input.empty() && !closed_) {
      const size_t end = input.find('\0');
      session_.receive(input.substr(0, end), now_);
      drain();
      if (end == std::string_view::npos || end + 1 >= input.size()) break;
      order(static_cast<uint8_t>(input[end + 1]));
      drain();
      input.remove_prefix(end + 2);
    }
    session_.on_peer_closed("over", now_);
    drain();
    CHECK(closed_ && open_ == 0);
    CHECK(session_.deadline() == conf::kNever);
  }

 private:
  void order(uint8_t which) {
    now_ += std::chrono::seconds(1);
    switch (which % 6) {
      case 0:
        begin(1 + which / 6 % 5);
        break;
      case 1:
        session_.on_written(now_);
        break;
      case 2:
        if (session_.deadline() != conf::kNever) now_ = session_.deadline();
        session_.on_deadline(now_);
        break;
      case 3:
        session_.quit(now_);
        break;
      case 4:
        if (handshake_) session_.tls_established({}, now_);
        handshake_ = false;
        break;
      case 5:
        if (handshake_) session_.tls_failed("bad certificate", now_);
        handshake_ = false;
        break;
    }
  }

  void begin(size_t recipients) {
    if (!session_.ready()) return;
    Transaction transaction;
    for (size_t i = 0; i < recipients; ++i) {
      conf::Recipient recipient;
      recipient.mailbox = {"user" + std::to_string(i), conf::Domain::from_canonical("example.net")};
      transaction.recipients.push_back(recipient);
    }
    transaction.body = conf::Bytes("Subject: x\r\n\r\n.dot\r\n");
    CHECK(open_ == 0);
    open_ = recipients;
    session_.begin(std::move(transaction), now_);
  }

  void drain() {
    session_.output()->clear();
    ClientEvent event;
    while (session_.next_event(&event, now_)) {
      CHECK(!closed_);
      if (event.kind == ClientEvent::Kind::kStartTls) handshake_ = true;
      if (event.kind == ClientEvent::Kind::kClosed) closed_ = true;
      if (event.kind == ClientEvent::Kind::kReady) CHECK(open_ == 0 && session_.ready());
      if (event.kind != ClientEvent::Kind::kTransactionDone) continue;
      CHECK(event.outcomes.size() == open_);
      open_ = 0;
      for (const RecipientOutcome& outcome : event.outcomes) {
        const bool delivered = outcome.kind == RecipientOutcome::Kind::kDelivered ||
                               outcome.kind == RecipientOutcome::Kind::kDeliveredNoDsn;
        CHECK(delivered == (outcome.reply.positive() && outcome.stage == bounce::Stage::kDot));
        CHECK(!(delivered && outcome.uncertain));
      }
    }
  }

  conf::Instant now_{};
  ClientSession session_;
  size_t open_ = 0;  // recipients whose outcome is due
  bool closed_ = false;
  bool handshake_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  relay::smtp::ClientOptions options;
  options.ehlo_name = "relay.example.com";
  options.pipelining = (data[0] & 1) != 0;
  options.chunking = (data[0] & 2) != 0;
  options.tls = static_cast<conf::TlsMode>((data[0] >> 2) % 3);
  Driver(options).run(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
