#include "tests/sim/submitter.h"

#include <algorithm>
#include <cstdlib>

#include "relay/smtp/mime_entity.h"

namespace sim {

void Submitter::begin(std::unique_ptr<relay::Transport> stream) {
  stream_ = std::move(stream);
  input_.clear();
  state_ = State::kGreeting;
  stream_->set_user(this);
}

void Submitter::say(const std::string& text) {
  relay::OutQueue out;
  out.append(text);
  stream_->write(&out);
}

void Submitter::on_bytes(std::string_view bytes) {
  input_ += bytes;
  for (size_t end = input_.find("\r\n"); end != std::string::npos && stream_ != nullptr;
       end = input_.find("\r\n")) {
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    if (line.size() > 3 && line[3] == '-') continue;
    answer(std::atoi(line.c_str()));
  }
}

void Submitter::next_message() {
  if (done()) {
    state_ = State::kIdle;
    say("QUIT\r\n");
    return;
  }
  state_ = State::kMail;
  recipient_ = 0;
  say("MAIL FROM:<" + work_[next_].reverse_path + ">" + work_[next_].declared + "\r\n");
}

void Submitter::answer(int code) {
  if (state_ == State::kIdle) return;
  if (code >= 400) {  // come again over a new connection
    stream_.reset();
    return;
  }
  const Submission& message = work_.size() > next_ ? work_[next_] : work_.back();
  switch (state_) {
    case State::kGreeting:
      state_ = State::kEhlo;
      say("EHLO client.test\r\n");
      break;
    case State::kEhlo:
      next_message();
      break;
    case State::kMail:
    case State::kRcpt:
      if (state_ == State::kRcpt) ++recipient_;
      if (recipient_ < message.recipients.size()) {
        state_ = State::kRcpt;
        say("RCPT TO:<" + message.recipients[recipient_] + ">\r\n");
      } else {
        state_ = State::kData;
        say("DATA\r\n");
      }
      break;
    case State::kData:
      state_ = State::kDot;
      say(message.text + ".\r\n");
      break;
    case State::kDot:
      for (const std::string& recipient : message.recipients) {
        ledger_->promised[{message.number, recipient}] = message.reverse_path;
      }
      ++next_;
      next_message();
      break;
    case State::kIdle:
      break;
  }
}

Submission make_submission(World* world, uint64_t number, std::string reverse_path,
                           std::vector<std::string> recipients, bool eight_bit) {
  Submission out;
  out.number = number;
  out.reverse_path = std::move(reverse_path);
  out.recipients = std::move(recipients);
  std::string text;
  const uint64_t lines = world->random.below(60);
  for (uint64_t i = 0; i < lines; ++i) {
    text +=
        std::string(1 + world->random.below(90), static_cast<char>('a' + world->random.below(26))) + "\r\n";
  }
  std::string fields;
  if (eight_bit) {
    text += "gr\xc3\xbc\xc3\x9f dich\r\n";
    fields =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n";
    out.declared = " BODY=8BITMIME";
  }
  if (std::ranges::any_of(out.recipients, relay::smtp::has_eight_bit)) out.declared += " SMTPUTF8";
  const uint64_t hash = std::hash<std::string>()(text);
  out.text = "From: a@client.test\r\nX-Sim: " + std::to_string(number) + ' ' + std::to_string(hash) + "\r\n" +
             fields + "\r\n" + text;
  return out;
}

}  // namespace sim
