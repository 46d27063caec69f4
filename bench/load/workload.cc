// The Supply side of the generator: which message is next, what it looks like, what became of it.
#include <fmt/format.h>

#include "bench/load/generator.h"

namespace bench {
namespace {

constexpr size_t kMaxRefusalKinds = 32;  // replies may hold an id each; the table must not grow with the load

}  // namespace

bool Generator::next(Message* message) {
  if (!again_.empty()) {
    *message = again_.front();
    again_.pop_front();
    return true;
  }
  if (handed_out_ >= options_.messages) return false;
  message->start_us = now_us_;
  if (options_.rate > 0) {
    // Latency counts from when the message was due, also when no session was free: no coordinated omission.
    message->start_us =
        start_us_ + static_cast<int64_t>(static_cast<double>(handed_out_) * 1e6 / options_.rate);
    if (message->start_us > now_us_) return false;
  }
  message->number = ++handed_out_;
  return true;
}

std::string Generator::id(uint64_t number) const { return options_.prefix + "-" + std::to_string(number); }

std::string Generator::domain(uint64_t number) const { return domains_[number % domains_.size()]; }

std::string Generator::header(uint64_t number) const {
  return fmt::format(
      "From: Load <{0}>\r\nTo: user{1}@{2}\r\nDate: {3}\r\nSubject: Load message {1}\r\nMessage-ID: "
      "<{4}-{1}@load.test>\r\n"
      "X-Load-Id: {4}-{1}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
      options_.from, number, domains_[number % domains_.size()], date_, options_.prefix);
}

void Generator::content_sent(Message* message) {
  if (options_.rate <= 0) message->start_us = now_us_;
}

void Generator::answered(const Message& message, int code, std::string_view text) {
  if (code == 250) {
    ++result_.accepted;
    ids_.add(id(message.number));
    result_.latency.add(now_us_ - message.start_us);
    return;
  }
  ++result_.refused;
  std::string kind(text.substr(0, 80));
  if (result_.refusals.size() >= kMaxRefusalKinds && result_.refusals.count(kind) == 0) kind = "other";
  ++result_.refusals[kind];
}

}  // namespace bench
