// The receiving end of one SMTP session: bytes in, replies out. Pure: no socket, no clock. It is lenient
// where a load test gains nothing from strictness (arguments of commands), and strict in the order of
// commands and in the end of the data, since a sender that errs there must be seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/personality/id_count.h"
#include "bench/personality/site.h"
#include "bench/sink/options.h"
#include "conf/vocab/random.h"

namespace bench {

// What happened, for all sessions together.
struct Tally {
  uint64_t connections = 0;
  uint64_t turned_away = 0;  // 421: more than max_connections
  uint64_t messages = 0;
  uint64_t recipients = 0;
  uint64_t refused = 0;  // commands or messages refused because fail_rate said so
  uint64_t bytes = 0;
  uint64_t protocol_errors = 0;
  uint64_t open = 0;
  uint64_t max_open = 0;
};

class Receiver {
 public:
  // All are borrowed and outlive the receiver.
  Receiver(const SinkOptions& options, Tally* tally, conf::Random* random);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // Plays `site` (borrowed) from now on, at one of its addresses; before the greeting.
  void visit(Site* site, std::string source, std::string_view address);
  Site* site() const { return site_; }
  const Visit& visitor() const { return visit_; }
  // The sender has closed: what it sent may still be fed, but the connection counts no more.
  void sender_left();
  // The time of all that is fed until the next call.
  void set_now(conf::Instant now) { now_ = now; }
  // The greeting, or what the site says instead of it.
  void greet(std::string* replies);
  // Takes bytes up to the end of a message and returns how many; the caller looks at message_taken() and
  // calls again with the rest. Replies are appended to `replies`. O(bytes).
  size_t feed(std::string_view bytes, std::string* replies);
  // True once after a message has ended and was taken: its 250 is then the caller's to send (accept_reply()).
  bool message_taken();
  // Has the site lost the connection after it stored the message just taken? Then its 250 is never sent.
  bool reply_lost(const std::string& replies);
  // How long the site thinks before it says what stands in `replies` from *from on; 0 mostly. Asked once
  // after each feed(), which stops at such a place.
  conf::Duration pause(size_t* from);
  // True once after the 220 to STARTTLS: the owner begins the handshake, and plays `*how`. What came in the
  // clear behind the command is thrown away (RFC 3207 §6, CVE-2011-0411).
  bool starts_tls(Handshake* how);
  void tls_established();
  // What will come back for the message just taken; asked once.
  std::vector<LateReport> take_late() { return std::exchange(late_, {}); }
  const std::vector<uint32_t>& slots() const { return slots_; }  // of the message just taken
  const std::string& message_id() const { return message_id_; }
  static std::string_view accept_reply() { return "250 2.0.0 Ok: taken\r\n"; }
  bool finished() const { return phase_ == Phase::kClosed; }
  // Finished with a refusal that the sender must be able to read, whatever it has sent behind.
  bool lingers() const { return lingers_; }
  bool endless() const { return endless_; }  // says endless_line() for as long as somebody takes it
  static std::string_view endless_line() { return "250-and more\r\n"; }
  bool says_twice() { return std::exchange(twice_, false); }  // the reply to the message just taken
  const Group* group() const { return site_ != nullptr ? &site_->group() : nullptr; }

 private:
  enum class Phase : uint8_t { kCommand, kData, kChunk, kHandshake, kClosed };

  // False: the site said no, which is in `replies`, or has gone.
  bool obeys(const Verdict& verdict, std::string* replies);
  bool goes_on(Stage stage, std::string_view argument, std::string* replies);
  bool content_goes_on(const std::string& replies);
  bool goes_on_unheard(Stage stage, const std::string& replies);  // where nothing can be replied
  void command(std::string_view line, std::string* replies);
  void obey_command(std::string_view line, std::string* replies);
  bool refuses_parameters(std::string_view line, std::string* replies);
  void hello(std::string_view verb, std::string* replies);
  void start_tls(std::string* replies);
  void mail(std::string_view line, std::string* replies);
  void recipient(std::string_view line, std::string* replies);
  void data(std::string* replies);
  void chunk(std::string_view line, std::string* replies);
  size_t feed_command(std::string_view bytes, std::string* replies);
  size_t feed_data(std::string_view bytes, std::string* replies);
  size_t feed_chunk(std::string_view bytes, std::string* replies);
  void scan_header(std::string_view bytes);
  void header_line(std::string_view line);
  void end_message(std::string* replies);
  void begin_content();
  void reset_transaction();
  void out_of_order(std::string_view text, std::string* replies);
  uint64_t max_size() const {
    return site_ != nullptr && site_->group().max_size_bytes > 0 ? site_->group().max_size_bytes
                                                                 : options_.max_size_bytes;
  }
  const std::string& hostname() const {
    return site_ != nullptr && !visit_.host.empty() ? visit_.host : options_.hostname;
  }
  TlsUse tls_use() const { return site_ != nullptr ? site_->group().tls : TlsUse::kNone; }
  bool chunking() const { return options_.chunking && (site_ == nullptr || site_->group().chunking); }
  bool wants_late() const { return site_ != nullptr && !site_->group().late.empty(); }
  void decide_late(const std::vector<std::string>& paths);
  bool fails(FailAt where, std::string* replies);

  const SinkOptions& options_;
  Tally* tally_;
  conf::Random* random_;
  Phase phase_ = Phase::kCommand;
  bool greeted_ = false;
  bool in_transaction_ = false;
  uint32_t recipients_ = 0;
  bool taken_ = false;
  std::string line_;  // a command or header line that is not complete yet
  bool in_header_ = false;
  std::string message_id_;
  uint64_t size_bytes_ = 0;
  uint32_t matched_ = 0;  // how much of CRLF . CRLF the content ends with
  uint64_t chunk_left_ = 0;
  bool last_chunk_ = false;
  bool chunk_discarded_ = false;
  bool content_begun_ = false;
  bool content_fresh_ = false;  // nothing of it has come
  Site* site_ = nullptr;
  Visit visit_;
  conf::Instant now_{};
  conf::Duration pause_{0};
  size_t held_from_ = 0;
  std::vector<uint32_t> slots_;
  bool lingers_ = false;
  bool twice_ = false, leaves_ = false, early_ = false, endless_ = false;
  bool secret_ = false;      // TLS is on
  bool tls_begins_ = false;  // STARTTLS got its 220
  Handshake handshake_ = Handshake::kGood;
  std::vector<std::string> paths_;  // forward-paths and header, kept only when late reports need them
  std::string header_;
  std::vector<LateReport> late_;
};

}  // namespace bench
