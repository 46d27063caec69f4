// The sending end of one SMTP session of the generator: replies in, commands out. Pure: no socket, no clock.
// With pipelining one flight carries the end of a message and MAIL, RCPT, DATA of the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "bench/load/options.h"

namespace bench {

struct Message {
  uint64_t number = 0;
  int64_t start_us = 0;  // when it was due, or when its content was sent
};

// What a session asks of the generator.
class Supply {
 public:
  virtual ~Supply() = default;
  // False: nothing to send now (or ever).
  virtual bool next(Message* message) = 0;
  virtual std::string id(uint64_t number) const = 0;
  virtual std::string domain(uint64_t number) const = 0;
  virtual std::string header(uint64_t number) const = 0;
  virtual std::string_view body() const = 0;
  // The final answer for a message: 250 after the content, or the refusal.
  virtual void answered(const Message& message, int code, std::string_view text) = 0;
  virtual void content_sent(Message* message) = 0;
};

// What waits to be written: two strings with the shared body between them.
struct Output {
  std::string before;
  std::string_view body;
  std::string after;
  bool empty() const { return before.empty() && body.empty() && after.empty(); }
  void add(std::string_view text) { (body.empty() ? before : after).append(text); }
};

class Client {
 public:
  Client(const LoadOptions& options, Supply* supply);

  // Takes what was read. False: the session is of no more use (421, a reply that is none, or the end after
  // QUIT).
  bool feed(std::string_view bytes);
  // Tells an idle session that there may be messages again.
  void wake();
  void quit();
  bool idle() const { return step_ == Step::kIdle; }
  Output& output() { return output_; }
  // Messages without an answer, to be sent again when the connection is lost.
  const std::deque<Message>& open_messages() const { return open_; }
  const std::string& last_reply() const { return last_reply_; }

 private:
  enum class Step : uint8_t { kGreeting, kEhlo, kIdle, kMail, kRcpt, kData, kDot, kQuit };

  bool reply(int code, std::string_view text);
  bool after_data(int code, std::string_view text);
  void after_dot(int code, std::string_view text);
  void begin(bool pipelined);
  void refuse(int code, std::string_view text);

  const LoadOptions& options_;
  Supply* supply_;
  Step step_ = Step::kGreeting;
  bool pipelining_ = false;
  bool next_sent_ = false;  // the envelope of open_.back() is on the wire already
  int refusal_ = 0;         // first refusal in this transaction
  std::string refusal_text_;
  uint32_t rcpt_left_ = 0;
  std::deque<Message> open_;  // [0]: the transaction whose replies arrive, [1]: the next one
  std::string partial_;
  std::string last_reply_;
  Output output_;
};

}  // namespace bench
