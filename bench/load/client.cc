#include "bench/load/client.h"

#include <cstring>

#include "conf/vocab/check.h"

namespace bench {

Client::Client(const LoadOptions& options, Supply* supply) : options_(options), supply_(supply) {}

bool Client::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      return partial_.size() < 4096;
    }
    std::string whole = std::move(partial_);
    partial_.clear();
    whole.append(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    if (!whole.empty() && whole.back() == '\r') whole.pop_back();
    if (whole.size() < 3 || whole[0] < '2' || whole[0] > '5') return false;
    if (step_ == Step::kEhlo && whole.size() >= 14 && std::strncmp(whole.c_str() + 4, "PIPELINING", 10) == 0)
      pipelining_ = options_.pipelining;
    if (whole.size() > 3 && whole[3] == '-') continue;
    const int code = (whole[0] - '0') * 100 + (whole[1] - '0') * 10 + (whole[2] - '0');
    last_reply_ = whole;
    if (!reply(code, whole)) return false;
  }
  return true;
}

bool Client::reply(int code, std::string_view text) {
  if (code == 421) return false;
  switch (step_) {
    case Step::kGreeting:
      if (code != 220) return false;
      output_.add("EHLO load.test\r\n");
      step_ = Step::kEhlo;
      return true;
    case Step::kEhlo:
      if (code != 250) return false;
      step_ = Step::kIdle;
      wake();
      return true;
    case Step::kIdle:
      return false;  // nothing was asked
    case Step::kMail:
      if (code != 250) refuse(code, text);
      rcpt_left_ = options_.recipients;
      step_ = Step::kRcpt;
      if (!pipelining_ && refusal_ == 0) {
        output_.add("RCPT TO:<user" + std::to_string(open_[0].number) + "@" +
                    supply_->domain(open_[0].number) + ">\r\n");
      } else if (!pipelining_) {
        after_dot(refusal_, refusal_text_);
      }
      return true;
    case Step::kRcpt:
      if (code != 250 && code != 251) refuse(code, text);
      if (--rcpt_left_ > 0) {
        if (!pipelining_)
          output_.add("RCPT TO:<user" + std::to_string(open_[0].number) + "-" + std::to_string(rcpt_left_) +
                      "@" + supply_->domain(open_[0].number) + ">\r\n");
        return true;
      }
      step_ = Step::kData;
      if (!pipelining_) output_.add("DATA\r\n");
      return true;
    case Step::kData:
      return after_data(code, text);
    case Step::kDot:
      after_dot(code, text);
      return true;
    case Step::kQuit:
      return false;
  }
  return false;
}

bool Client::after_data(int code, std::string_view text) {
  if (code != 354) {
    // After a refused MAIL the transaction never began; RSET is not needed, a refused RCPT leaves it open.
    refuse(code, text);
    output_.add("RSET\r\n");
    step_ = Step::kDot;  // its 250 ends this transaction
    return true;
  }
  if (!output_.body.empty())
    return false;  // 354 before the content of the last message was read: no SMTP server
  output_.add(supply_->header(open_[0].number));
  output_.body = supply_->body();
  output_.add(".\r\n");
  supply_->content_sent(&open_[0]);
  refusal_ = 0;  // some recipient was taken: the reply to the content decides
  step_ = Step::kDot;
  if (pipelining_) begin(true);
  return true;
}

void Client::after_dot(int code, std::string_view text) {
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
  } else {
    begin(false);
  }
}

// Puts the envelope of a new message on the wire, or goes idle.
void Client::begin(bool pipelined) {
  Message message;
  if (!supply_->next(&message)) return;
  open_.push_back(message);
  std::string text = "MAIL FROM:<" + options_.from + ">\r\n";
  if (pipelining_) {
    const std::string domain = supply_->domain(message.number);
    for (uint32_t i = options_.recipients; i > 0; --i) {
      text.append("RCPT TO:<user").append(std::to_string(message.number));
      if (i != options_.recipients) text.append("-").append(std::to_string(i));
      text.append("@").append(domain).append(">\r\n");
    }
    text.append("DATA\r\n");
  }
  output_.add(text);
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

void Client::wake() {
  if (step_ == Step::kIdle) begin(false);
}

void Client::quit() {
  if (step_ != Step::kIdle) return;
  output_.add("QUIT\r\n");
  step_ = Step::kQuit;
}

}  // namespace bench
