#include "bench/load/client.h"

#include "dkim/digest.h"

namespace bench::load {
namespace {

constexpr size_t kReplyLineBytes = 4096;

std::string encode(const std::string& text) { return dkim::base64(text.data(), text.size()); }

}  // namespace

Client::Client(const LoadOptions& options, const Content& content, Supply* supply)
    : options_(options), content_(content), supply_(supply), tls_(options.tls == TlsMode::kImplicit) {}

bool Client::feed(std::string_view bytes, int64_t now_us) {
  now_us_ = now_us;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      return partial_.size() < kReplyLineBytes || unexpected(partial_.substr(0, 80));
    }
    bool good = false;
    if (partial_.empty()) {
      good = line(bytes.substr(0, end));
    } else {
      partial_.append(bytes.substr(0, end));
      std::string whole;
      whole.swap(partial_);
      good = line(whole);
    }
    if (!good) return false;
    bytes.remove_prefix(end + 1);
    if (wants_tls()) return true;  // what came behind the 220 in clear is dropped (RFC 3207 §5)
  }
  return true;
}

bool Client::line(std::string_view text) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (text.size() < 3 || text[0] < '2' || text[0] > '5' || text[1] < '0' || text[1] > '9' || text[2] < '0' ||
      text[2] > '9')
    return unexpected(text);
  if (step_ == Step::kEhlo && text.size() > 4) note_extension(text.substr(4));
  if (text.size() > 3 && text[3] == '-') return true;
  const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (code == 421 && step_ != Step::kQuit) return unexpected(text);
  return reply(code, text);
}

void Client::note_extension(std::string_view keyword) {
  const std::string_view verb = keyword.substr(0, keyword.find(' '));
  offers_pipelining_ |= verb == "PIPELINING" && options_.pipelining;
  offers_chunking_ |= verb == "CHUNKING" && options_.chunking;
  offers_starttls_ |= verb == "STARTTLS";
  offers_auth_ |= verb == "AUTH";
}

bool Client::unexpected(std::string_view text) {
  trouble_ = text.empty() ? "an empty line for a reply" : std::string(text);
  return false;
}

bool Client::reply(int code, std::string_view text) {
  switch (step_) {
    case Step::kMail:
      return after_mail(code, text);
    case Step::kRcpt:
      return after_rcpt(code, text);
    case Step::kData:
      return after_data(code, text);
    case Step::kDot:
    case Step::kReset:
      after_dot(code, text);
      return true;
    case Step::kQuit:
      return false;
    case Step::kIdle:  // nothing was asked
    case Step::kHandshake:
      return unexpected(text);
    default:
      return opening(code, text);
  }
}

// Up to the first transaction.
bool Client::opening(int code, std::string_view text) {
  switch (step_) {
    case Step::kGreeting:
      if (code != 220) return unexpected(text);
      output_.add("EHLO " + options_.hello + "\r\n");
      step_ = Step::kEhlo;
      return true;
    case Step::kEhlo:
      return code == 250 ? after_ehlo() : unexpected(text);
    case Step::kStarttls:
      if (code != 220) return unexpected(text);
      step_ = Step::kHandshake;
      return true;
    case Step::kAuthUser:
      if (code != 334) return unexpected(text);
      output_.add(encode(options_.user) + "\r\n");
      step_ = Step::kAuthPassword;
      return true;
    case Step::kAuthPassword:
      if (code != 334) return unexpected(text);
      output_.add(encode(options_.password) + "\r\n");
      step_ = Step::kAuth;
      return true;
    default:  // kAuth
      if (code != 235) return unexpected(text);
      step_ = Step::kIdle;
      wake(now_us_);
      return true;
  }
}

bool Client::after_ehlo() {
  if (options_.tls == TlsMode::kStarttls && !tls_) {
    if (!offers_starttls_) return unexpected("the relay does not offer STARTTLS");
    output_.add("STARTTLS\r\n");
    step_ = Step::kStarttls;
    return true;
  }
  if (!options_.user.empty()) {
    if (!offers_auth_) return unexpected("the relay does not offer AUTH");
    if (options_.auth == AuthMechanism::kLogin) {
      output_.add("AUTH LOGIN\r\n");
      step_ = Step::kAuthUser;
    } else {
      std::string secret(1, '\0');
      secret.append(options_.user).append(1, '\0').append(options_.password);  // RFC 4616 §2
      output_.add("AUTH PLAIN " + encode(secret) + "\r\n");
      step_ = Step::kAuth;
    }
    return true;
  }
  step_ = Step::kIdle;
  wake(now_us_);
  return true;
}

void Client::tls_up() {
  tls_ = true;
  partial_.clear();
  // What was offered in clear does not count (RFC 3207 §4.2).
  offers_pipelining_ = offers_chunking_ = offers_auth_ = false;
  output_.add("EHLO " + options_.hello + "\r\n");
  step_ = Step::kEhlo;
}

void Client::add_recipient(uint64_t number, uint32_t i) {
  output_.add("RCPT TO:<" + content_.recipient(number, i) + ">\r\n");
}

bool Client::after_mail(int code, std::string_view text) {
  if (code != 250) refuse(code, text);
  rcpt_left_ = options_.recipients;
  step_ = Step::kRcpt;
  if (offers_pipelining_) return true;
  if (refusal_ != 0) {
    after_dot(refusal_, text);
  } else {
    add_recipient(open_[0].number, 0);
  }
  return true;
}

bool Client::after_rcpt(int code, std::string_view text) {
  if (code != 250 && code != 251) refuse(code, text);
  if (--rcpt_left_ > 0) {
    if (!offers_pipelining_) add_recipient(open_[0].number, options_.recipients - rcpt_left_);
    return true;
  }
  step_ = offers_chunking_ ? Step::kDot : Step::kData;
  if (offers_pipelining_) return true;
  if (offers_chunking_) {
    write_chunk();
  } else {
    output_.add("DATA\r\n");
  }
  return true;
}

bool Client::after_data(int code, std::string_view text) {
  if (code != 354) {
    // No content follows. A refused RCPT leaves the transaction open.
    refuse(code, text);
    output_.add("RSET\r\n");
    step_ = Step::kReset;
    return true;
  }
  Message& message = open_[0];
  message.bytes = content_.write(message.number, true, &output_);
  output_.add(".\r\n");
  message.content_us = now_us_;
  refusal_ = 0;  // some recipient was taken: the reply to the content decides
  step_ = Step::kDot;
  if (offers_pipelining_) begin(true);
  return true;
}

// The whole content as one chunk (RFC 3030 §2).
void Client::write_chunk() {
  Message& message = open_.back();
  Output chunk;
  message.bytes = content_.write(message.number, false, &chunk);
  message.content_us = now_us_;
  output_.add("BDAT " + std::to_string(message.bytes) + " LAST\r\n");
  output_.append(chunk);
}

void Client::after_dot(int code, std::string_view text) {
  if (offers_chunking_ && step_ == Step::kDot) {
    if (code == 250) {
      refusal_ = 0;
    } else {
      // After a refused RCPT and its chunk the transaction may still be open.
      refuse(code, text);
      output_.add("RSET\r\n");
      step_ = Step::kReset;
      return;
    }
  }
  const Message done = open_.front();
  open_.pop_front();
  if (refusal_ != 0) {
    supply_->answered(done, refusal_, refusal_text_);
  } else {
    supply_->answered(done, code, text);
  }
  refusal_ = 0;
  step_ = Step::kIdle;
  if (next_sent_) {
    next_sent_ = false;
    step_ = Step::kMail;
    Message& next = open_.front();
    next.sent_us = now_us_;  // the relay could not begin with it before
    // In a closed loop nothing is due before its session is free.
    if (options_.rate <= 0 && next.tries == 0) next.due_us = now_us_;
  } else {
    begin(false);
  }
}

// Puts the envelope of a new message on the wire, or goes idle.
void Client::begin(bool pipelined) {
  if (options_.per_connection > 0 && begun_ >= options_.per_connection) {
    if (!pipelined) quit();
    return;
  }
  Message message;
  if (!supply_->next(pipelined, &message)) return;
  ++begun_;
  message.sent_us = now_us_;
  open_.push_back(message);
  output_.add("MAIL FROM:<" + options_.from + ">\r\n");
  if (offers_pipelining_) {
    for (uint32_t i = 0; i < options_.recipients; ++i) add_recipient(message.number, i);
    if (offers_chunking_) {
      write_chunk();
    } else {
      output_.add("DATA\r\n");
    }
  }
  if (pipelined) {
    next_sent_ = true;
  } else {
    step_ = Step::kMail;
  }
}

void Client::refuse(int code, std::string_view text) {
  if (refusal_ != 0) return;
  refusal_ = code;
  refusal_text_.assign(text);
}

void Client::wake(int64_t now_us) {
  now_us_ = now_us;
  if (step_ == Step::kIdle) begin(false);
}

void Client::quit() {
  if (step_ != Step::kIdle) return;
  output_.add("QUIT\r\n");
  step_ = Step::kQuit;
}

}  // namespace bench::load
