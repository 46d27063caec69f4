// The sending end of one SMTP session of the generator: replies in, commands out. Pure: no socket, no clock;
// time is what the caller says. With pipelining one flight carries the end of a message and MAIL, RCPT, DATA
// of the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "bench/load/content.h"
#include "bench/load/message.h"
#include "bench/load/options.h"
#include "bench/load/output.h"

namespace bench::load {

// What a session asks of the generator.
class Supply {
 public:
  virtual ~Supply() = default;
  // False: nothing to send now (or ever). `pipelined`: the session has not got its last answer yet, and the
  // message would wait for it.
  virtual bool next(bool pipelined, Message* message) = 0;
  // The final answer for a message: 250 after the content, or the refusal.
  virtual void answered(const Message& message, int code, std::string_view text) = 0;
};

class Client {
 public:
  Client(const LoadOptions& options, const Content& content, Supply* supply);

  // Takes what was read. False: the session is of no more use (421, a reply that is none, a refused login, or
  // the end after QUIT); trouble() says why when it is one.
  bool feed(std::string_view bytes, int64_t now_us);
  // STARTTLS was agreed: the caller makes the handshake, then calls tls_up().
  bool wants_tls() const { return step_ == Step::kHandshake; }
  void tls_up();
  // Tells an idle session that there may be messages again.
  void wake(int64_t now_us);
  void quit();
  bool idle() const { return step_ == Step::kIdle; }
  bool ended() const { return step_ == Step::kQuit; }
  Output& output() { return output_; }
  // Messages without an answer, to be sent again when the connection is lost.
  const std::deque<Message>& open_messages() const { return open_; }
  const std::string& trouble() const { return trouble_; }

 private:
  enum class Step : uint8_t {
    kGreeting,
    kEhlo,
    kStarttls,
    kHandshake,
    kAuth,
    kAuthUser,
    kAuthPassword,
    kIdle,
    kMail,
    kRcpt,
    kData,
    kDot,
    kReset,
    kQuit
  };

  bool line(std::string_view text);
  bool reply(int code, std::string_view text);
  bool opening(int code, std::string_view text);
  bool after_ehlo();
  void note_extension(std::string_view keyword);
  bool after_mail(int code, std::string_view text);
  bool after_rcpt(int code, std::string_view text);
  bool after_data(int code, std::string_view text);
  void after_dot(int code, std::string_view text);
  void begin(bool pipelined);
  void write_chunk();
  void refuse(int code, std::string_view text);
  bool unexpected(std::string_view text);
  void add_recipient(uint64_t number, uint32_t i);

  const LoadOptions& options_;
  const Content& content_;
  Supply* supply_;
  Step step_ = Step::kGreeting;
  bool tls_ = false;
  bool offers_pipelining_ = false;
  bool offers_chunking_ = false;
  bool offers_starttls_ = false;
  bool offers_auth_ = false;
  bool next_sent_ = false;  // the envelope of open_.back() is on the wire already
  int refusal_ = 0;         // first refusal in this transaction
  std::string refusal_text_;
  uint32_t rcpt_left_ = 0;
  uint32_t begun_ = 0;        // messages of this connection
  std::deque<Message> open_;  // [0]: the transaction whose replies arrive, [1]: the next one
  int64_t now_us_ = 0;
  std::string partial_;
  std::string trouble_;
  Output output_;
};

}  // namespace bench::load
