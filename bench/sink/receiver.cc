#include "bench/sink/receiver.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace bench {
namespace {

constexpr size_t kMaxLine = 12288;  // RFC 4954 §4.3 asks for 12288 in AUTH; nothing longer is honest

bool starts_with(std::string_view line, std::string_view word) {
  return line.size() >= word.size() && strncasecmp(line.data(), word.data(), word.size()) == 0;
}
// What stands between < and >.
std::string_view path_in(std::string_view line) {
  const size_t open = line.find('<'), close = line.find('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return line.substr(open + 1, close - open - 1);
}
bool is_verb(std::string_view line, std::string_view verb) {
  return starts_with(line, verb) && (line.size() == verb.size() || line[verb.size()] == ' ');
}

}  // namespace

Receiver::Receiver(const SinkOptions& options, Tally* tally, conf::Random* random)
    : options_(options), tally_(tally), random_(random) {}

Receiver::~Receiver() {
  if (site_ != nullptr) site_->leave(&visit_);
}

void Receiver::visit(Site* site, std::string source, std::string_view address) {
  site_ = site;
  site_->introduce(&visit_, std::move(source), address);
}

void Receiver::sender_left() {
  if (site_ != nullptr) site_->leave(&visit_);
}

void Receiver::greet(std::string* replies) {
  if (site_ != nullptr && !obeys(site_->arrive(&visit_, now_), replies)) {
    phase_ = Phase::kClosed;
    return;
  }
  replies->append("220 ").append(hostname()).append(" ESMTP penstock-sink\r\n");
}

bool Receiver::obeys(const Verdict& verdict, std::string* replies) {
  if (verdict.delay.count() > 0) {
    pause_ = verdict.delay;
    held_from_ = replies->size();
  }
  handshake_ = verdict.handshake;
  twice_ = verdict.manner == FaultKind::kTwice;
  early_ = early_ || verdict.manner == FaultKind::kEarly;
  leaves_ = leaves_ || verdict.manner == FaultKind::kLeave;
  endless_ = endless_ || verdict.kind == Verdict::Kind::kEndless;
  if (verdict.kind == Verdict::Kind::kGoOn) return true;
  if (verdict.kind == Verdict::Kind::kReply) replies->append(verdict.reply).append("\r\n");
  if (verdict.closes()) phase_ = Phase::kClosed;
  lingers_ = verdict.closes() && verdict.kind == Verdict::Kind::kReply;
  return false;
}

bool Receiver::goes_on(Stage stage, std::string_view argument, std::string* replies) {
  return site_ == nullptr || obeys(site_->judge(&visit_, stage, argument, now_), replies);
}

bool Receiver::reply_lost(const std::string& replies) {
  if (goes_on_unheard(Stage::kStored, replies)) {
    if (leaves_) phase_ = Phase::kClosed;
    return false;
  }
  phase_ = Phase::kClosed;
  return true;
}

bool Receiver::goes_on_unheard(Stage stage, const std::string& replies) {
  std::string nothing;
  const bool on = goes_on(stage, {}, &nothing);
  if (pause_.count() > 0) held_from_ = replies.size();  // what was said before is not held
  return on;
}

conf::Duration Receiver::pause(size_t* from) {
  *from = held_from_;
  return std::exchange(pause_, conf::Duration(0));
}

size_t Receiver::feed(std::string_view bytes, std::string* replies) {
  size_t used = 0;
  while (used < bytes.size() && !taken_ && pause_.count() == 0 && phase_ != Phase::kClosed) {
    const std::string_view rest = bytes.substr(used);
    if (content_fresh_ && !content_goes_on(*replies)) break;
    switch (phase_) {
      case Phase::kCommand:
        used += feed_command(rest, replies);
        break;
      case Phase::kData:
        used += feed_data(rest, replies);
        break;
      case Phase::kChunk:
        used += feed_chunk(rest, replies);
        break;
      case Phase::kHandshake:
        used = bytes.size();
        break;
      case Phase::kClosed:
        break;
    }
  }
  return used;
}

bool Receiver::content_goes_on(const std::string& replies) {
  content_fresh_ = false;
  if (!goes_on_unheard(Stage::kContent, replies)) phase_ = Phase::kClosed;
  return phase_ != Phase::kClosed && pause_.count() == 0;
}

bool Receiver::message_taken() {
  const bool taken = taken_;
  taken_ = false;
  return taken;
}

size_t Receiver::feed_command(std::string_view bytes, std::string* replies) {
  const void* end = std::memchr(bytes.data(), '\n', bytes.size());
  if (end == nullptr) {
    line_.append(bytes);
    if (line_.size() > kMaxLine) {
      replies->append("500 5.5.2 Line too long\r\n");
      ++tally_->protocol_errors;
      phase_ = Phase::kClosed;
    }
    return bytes.size();
  }
  const size_t used = static_cast<size_t>(static_cast<const char*>(end) - bytes.data()) + 1;
  std::string_view line = bytes.substr(0, used);
  std::string whole;
  if (!line_.empty()) {
    whole.swap(line_);
    whole.append(line);
    line = whole;
  }
  line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  command(line, replies);
  return used;
}

void Receiver::command(std::string_view line, std::string* replies) {
  const size_t before = replies->size();
  obey_command(line, replies);
  if (std::exchange(twice_, false)) replies->append(replies->substr(before));
  if (leaves_) phase_ = Phase::kClosed;
}

void Receiver::obey_command(std::string_view line, std::string* replies) {
  if (is_verb(line, "EHLO") || is_verb(line, "HELO") || is_verb(line, "LHLO")) return hello(line, replies);
  if (is_verb(line, "QUIT")) {
    if (goes_on(Stage::kQuit, {}, replies)) replies->append("221 2.0.0 Bye\r\n");
    phase_ = Phase::kClosed;
  } else if (is_verb(line, "NOOP")) {
    replies->append("250 2.0.0 Ok\r\n");
  } else if (is_verb(line, "RSET")) {
    reset_transaction();
    if (goes_on(Stage::kRset, {}, replies)) replies->append("250 2.0.0 Ok\r\n");
  } else if (is_verb(line, "VRFY")) {
    replies->append("252 2.1.5 Send some mail\r\n");
  } else if (tls_use() != TlsUse::kNone && is_verb(line, "STARTTLS")) {
    start_tls(replies);
  } else if (starts_with(line, "MAIL FROM:")) {
    mail(line, replies);
  } else if (starts_with(line, "RCPT TO:")) {
    recipient(line, replies);
  } else if (is_verb(line, "DATA")) {
    data(replies);
  } else if (chunking() && is_verb(line, "BDAT")) {
    chunk(line, replies);
  } else {
    ++tally_->protocol_errors;
    replies->append("500 5.5.1 Unknown command\r\n");
  }
}

void Receiver::hello(std::string_view verb, std::string* replies) {
  reset_transaction();
  if (!goes_on(Stage::kEhlo, {}, replies)) return;
  greeted_ = true;
  if (starts_with(verb, "HELO")) {
    replies->append("250 ").append(hostname()).append("\r\n");
    return;
  }
  replies->append("250-").append(hostname()).append("\r\n");
  if (options_.pipelining && (site_ == nullptr || site_->group().pipelining))
    replies->append("250-PIPELINING\r\n");
  if (chunking()) replies->append("250-CHUNKING\r\n");
  if (tls_use() != TlsUse::kNone && !secret_) replies->append("250-STARTTLS\r\n");
  replies->append("250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 SIZE");
  if (max_size() > 0) replies->append(" ").append(std::to_string(max_size()));
  replies->append("\r\n");
}

void Receiver::start_tls(std::string* replies) {
  if (secret_) return out_of_order("503 5.5.1 TLS is on already\r\n", replies);
  reset_transaction();
  if (!goes_on(Stage::kStartTls, {}, replies)) return;
  replies->append("220 2.0.0 Ready to start TLS\r\n");
  tls_begins_ = true;
  phase_ = Phase::kHandshake;
}

bool Receiver::starts_tls(Handshake* how) {
  *how = handshake_;
  return std::exchange(tls_begins_, false);
}

void Receiver::tls_established() {
  secret_ = visit_.secret = true;
  greeted_ = false;  // RFC 3207 §4.2: all is forgotten
  phase_ = Phase::kCommand;
}

void Receiver::mail(std::string_view line, std::string* replies) {
  if (!greeted_ || in_transaction_) return out_of_order("503 5.5.1 Wrong order\r\n", replies);
  if (tls_use() == TlsUse::kRequired && !secret_) {
    replies->append("530 5.7.0 Must issue a STARTTLS command first\r\n");
    return;
  }
  if (fails(FailAt::kMail, replies)) return;
  const size_t at = line.find(" SIZE=");
  uint64_t declared = 0;
  if (at != std::string_view::npos)
    std::from_chars(line.data() + at + 6, line.data() + line.size(), declared);
  if (max_size() > 0 && declared > max_size()) {
    replies->append("552 5.3.4 Message too large\r\n");
    return;
  }
  if (refuses_parameters(line, replies) || !goes_on(Stage::kMail, path_in(line), replies)) return;
  slots_.clear();
  in_transaction_ = true;
  replies->append("250 2.1.0 Ok\r\n");
}

void Receiver::recipient(std::string_view line, std::string* replies) {
  if (!in_transaction_) return out_of_order("503 5.5.1 MAIL first\r\n", replies);
  if (fails(FailAt::kRcpt, replies)) return;
  const std::string_view path = path_in(line);
  if (refuses_parameters(line, replies) || !goes_on(Stage::kRcpt, path, replies)) return;
  ++recipients_;
  slots_.push_back(recipient_slot(path));
  if (wants_late()) paths_.emplace_back(path);
  replies->append("250 2.1.5 Ok\r\n");
}

void Receiver::data(std::string* replies) {
  if (!in_transaction_) return out_of_order("503 5.5.1 MAIL first\r\n", replies);
  // After a refused RCPT this is what RFC 2920 §3.1 leads a pipelining sender to, not an error of its own.
  if (recipients_ == 0) {
    replies->append("554 5.5.1 No valid recipients\r\n");
    return;
  }
  if (!goes_on(Stage::kData, {}, replies)) return;
  begin_content();
  phase_ = Phase::kData;
  replies->append("354 Go ahead\r\n");
  if (early_) replies->append(accept_reply());
}

// RFC 5321 §4.1.1.11: 555. Those of MAIL and RCPT stand behind the path.
bool Receiver::refuses_parameters(std::string_view line, std::string* replies) {
  if (site_ == nullptr || !site_->group().refuses_offered) return false;
  const size_t behind = line.find("> ");
  if (behind == std::string_view::npos) return false;
  replies->append("555 5.5.4 Unsupported option: ").append(line.substr(behind + 2)).append("\r\n");
  return true;
}

void Receiver::chunk(std::string_view line, std::string* replies) {
  if (site_ != nullptr && site_->group().refuses_offered) {
    replies->append("502 5.5.1 BDAT is not implemented\r\n");
    return;
  }
  const std::string_view arguments = line.size() > 5 ? line.substr(5) : std::string_view();
  const auto parsed = std::from_chars(arguments.data(), arguments.data() + arguments.size(), chunk_left_);
  if (parsed.ec != std::errc()) {
    // The bytes that follow cannot be told from commands any more (RFC 3030 §2).
    ++tally_->protocol_errors;
    replies->append("501 5.5.4 BDAT needs a size\r\n");
    phase_ = Phase::kClosed;
    return;
  }
  const std::string_view rest(parsed.ptr,
                              static_cast<size_t>(arguments.data() + arguments.size() - parsed.ptr));
  last_chunk_ = rest.size() >= 5 && strncasecmp(rest.data() + rest.size() - 4, "LAST", 4) == 0;
  chunk_discarded_ = !in_transaction_ || recipients_ == 0;
  if (!chunk_discarded_ && !content_begun_) begin_content();
  phase_ = Phase::kChunk;
  if (chunk_left_ == 0) feed_chunk(std::string_view(), replies);
}

void Receiver::reset_transaction() {
  in_transaction_ = false;
  recipients_ = 0;
  slots_.clear();
  paths_.clear();
  content_begun_ = false;
  in_header_ = false;
}

void Receiver::out_of_order(std::string_view text, std::string* replies) {
  // A sender that pipelines runs into this after a refused MAIL: no error of its own then.
  if (options_.fail_rate == 0 && site_ == nullptr) ++tally_->protocol_errors;
  replies->append(text);
}

bool Receiver::fails(FailAt where, std::string* replies) {
  if (options_.fail_at != where || options_.fail_rate <= 0 || !random_->chance(options_.fail_rate))
    return false;
  ++tally_->refused;
  const char* text =
      options_.fail_code >= 500 ? " 5.1.1 No such user here\r\n" : " 4.2.0 Try again later\r\n";
  replies->append(std::to_string(options_.fail_code)).append(text);
  return true;
}

}  // namespace bench
