// A client of the relay: hands in messages over SMTP and remembers which got a 250.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "relay/net/transport.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world.h"

namespace sim {

struct Submission {
  uint64_t number = 0;
  std::string reverse_path;
  std::vector<std::string> recipients;
  std::string text;      // whole message, CRLF
  std::string declared;  // parameters of MAIL: " BODY=8BITMIME"
};

class Submitter final : public relay::TransportUser {
 public:
  Submitter(Ledger* ledger, std::vector<Submission> work) : ledger_(ledger), work_(std::move(work)) {}
  // Goes on over a new connection with what has no 250 yet.
  void begin(std::unique_ptr<relay::Transport> stream);
  bool connected() const { return stream_ != nullptr; }
  bool done() const { return next_ >= work_.size(); }
  void hang_up() { stream_.reset(); }  // the relay's process died

  void on_connected() override {}
  void on_tls(conf::Result<relay::TlsInfo>) override {}
  void on_drained() override {}
  void on_deadline() override {}
  void on_closed(const conf::Error&) override { stream_.reset(); }
  void on_bytes(std::string_view bytes) override;

 private:
  void answer(int code);
  void say(const std::string& text);
  void next_message();

  Ledger* ledger_;
  std::vector<Submission> work_;
  size_t next_ = 0;
  std::unique_ptr<relay::Transport> stream_;
  std::string input_;
  enum class State { kGreeting, kEhlo, kMail, kRcpt, kData, kDot, kIdle } state_ = State::kGreeting;
  size_t recipient_ = 0;
};

// `eight_bit`: its text has letters of UTF-8.
Submission make_submission(World* world, uint64_t number, std::string reverse_path,
                           std::vector<std::string> recipients, bool eight_bit = false);

}  // namespace sim
