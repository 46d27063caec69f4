#include "relay/smtp/client_core.h"

#include <algorithm>

#include "conf/vocab/check.h"

namespace relay::smtp {

namespace {

using S = ClientState;
using bounce::Reply;

// The transport may report only that all has been written, so a big content gets its block time per this many
// octets.
constexpr uint64_t kBlockOctets = 1 << 20;

}  // namespace

ClientCore::ClientCore(ClientOptions options, conf::Instant now) : options_(std::move(options)) {
  tls = options_.tls_info;
  arm(now);
}

void ClientCore::go_to(S next, conf::Instant now) {
  CHECK(may_follow(state_, next));
  state_ = next;
  arm(now);
}

conf::Duration ClientCore::time_allowed() const {
  const conf::Timeouts& t = options_.timeouts;
  switch (state_) {
    case S::kGreeting:
      return t.greeting;
    case S::kEhlo:
    case S::kHelo:
      return t.ehlo;
    case S::kStartTls:
    case S::kHandshake:
      return t.tls;
    case S::kSecret:
    case S::kAuth:
    case S::kReset:
    case S::kMail:
      return t.mail;
    case S::kRcpt:
      return t.rcpt;
    case S::kData:
      return t.data_init;
    case S::kDot:
      return t.data_done;
    case S::kQuit:
      return t.quit;
    case S::kReady:
    case S::kClosed:
      break;
  }
  return conf::Duration::max();
}

void ClientCore::arm(conf::Instant now) {
  conf::Duration allowed = time_allowed();
  if (allowed == conf::Duration::max()) {
    deadline_ = conf::kNever;
    return;
  }
  if (content_unsent_ && flight_) {
    const auto blocks = static_cast<int64_t>(1 + flight_->content_size() / kBlockOctets);
    allowed = std::max(allowed, options_.timeouts.data_block * blocks);
  }
  deadline_ = now + allowed;
}

bool ClientCore::next_event(ClientEvent* event) {
  while (!events_.empty()) {
    *event = std::move(events_.front());
    events_.erase(events_.begin());
    // "250 done", "421 closing" in one segment: the owner must not begin what can no longer be sent.
    const bool stale = (event->kind == ClientEvent::Kind::kReady && state_ != S::kReady) ||
                       (event->kind == ClientEvent::Kind::kStartTls && state_ != S::kHandshake) ||
                       (event->kind == ClientEvent::Kind::kSecretWanted && state_ != S::kSecret);
    if (!stale) return true;
  }
  return false;
}

void ClientCore::receive(std::string_view bytes, conf::Instant now) {
  // RFC 3207 §4.2, CVE-2021-38371: what came in clear after the reply to STARTTLS is dropped.
  bool just_asked = false;  // by a reply in these bytes: the answer cannot be among them
  while (!bytes.empty() && state_ != S::kClosed && state_ != S::kHandshake) {
    Reply reply;
    const bool in_group = flight_ && pipelined_;  // where an empty line may stand for a reply that is missing
    conf::Result<bool> whole = parser_.feed(&bytes, &reply, !in_group);
    if (!whole.ok()) {
      if ((in_group && state_ != S::kDot) || (flight_ && used())) {
        out_of_step(whole.error().detail, false);
      } else {
        close_broken(whole.error().detail, End::kByPeer);
      }
      return;
    }
    if (!*whole) continue;
    if (state_ != S::kEhlo) reply.cut_to(options_.reply_text_octets);  // all that follows shares what is left
    if (just_asked && reply.code != 421 && state_ != S::kQuit) {
      out_of_step("a reply came that nothing asked for: " + std::to_string(reply.code) + ' ' + reply.text(),
                  true);
      return;
    }
    const uint64_t written = output.size();
    take_reply(std::move(reply), now);
    const bool in_turn = !pipelined_ || (state_ == S::kDot && early_end_.code == 0);
    just_asked = flight_ && output.size() > written && in_turn;
  }
  // One that has begun by now was not said about the content either, whenever its end comes.
  const bool sending = state_ == S::kDot && content_unsent_ && flight_ && flight_->anyone_accepted();
  if (sending && parser_.mid_positive()) took_early("2yz had begun");
}

void ClientCore::take_reply(Reply reply, conf::Instant now) {
  heard_ = true;
  // RFC 5321 §3.8: 421 may answer any command; the peer closes after it.
  if (reply.code == 421 && state_ != S::kQuit) {
    take_421(std::move(reply));
    return;
  }
  if (state_ != S::kQuit && leave_if_troubled(reply)) return;
  switch (state_) {
    case S::kGreeting:
      take_greeting(std::move(reply), now);
      break;
    case S::kEhlo:
      take_ehlo(std::move(reply), now);
      break;
    case S::kHelo:
      take_helo(std::move(reply), now);
      break;
    case S::kStartTls:
      take_starttls(std::move(reply), now);
      break;
    case S::kReset:
      last_refusal_ = {};
      in_step_ = true;
      go_to(S::kMail, now);
      if (!pipelined_) flight_->write_mail(&output);
      break;
    case S::kMail:
      take_mail(reply, now);
      break;
    case S::kRcpt:
      take_rcpt(reply, now);
      break;
    case S::kData:
      take_data(reply, now);
      break;
    case S::kDot:
      take_end(std::move(reply), now);
      break;
    case S::kQuit:
      take_goodbye(std::move(reply));
      break;
    case S::kAuth:
      take_auth(std::move(reply), now);
      break;
    case S::kReady:
    case S::kHandshake:
    case S::kSecret:
    case S::kClosed:
      break;
  }
}

void ClientCore::begin(Transaction transaction, conf::Instant now) {
  CHECK(state_ == S::kReady);
  ++transactions;
  pipelined_ = options_.pipelining && peer.pipelining;
  // With DATA a reply too many shows, for 354 is due: RFC 3030 has nothing of the kind. BDAT is for one
  // recipient and for a peer whose replies can be told apart, that gave no cause for doubt yet. One command
  // at a time a late reply is taken for the next one, so there is DATA, too.
  told_apart_ = peer.enhanced_status && transaction.recipients.size() == 1;
  const bool in_step = !reset_due_ && last_refusal_.code == 0;
  chunked_ = options_.chunking && peer.chunking && pipelined_ && told_apart_ && in_step;
  content_unsent_ = heard_ = in_step_ = false;
  flight_.emplace(std::move(transaction), peer);
  if (!flight_->anyone_open()) {  // nothing that this peer could take: nothing is sent
    transaction_done(now);
    return;
  }
  if (reset_due_) output.append("RSET\r\n");
  if (pipelined_) {
    write_flight();
  } else if (!reset_due_) {
    flight_->write_mail(&output);
  }
  const bool reset_first = reset_due_;
  reset_due_ = false;
  go_to(reset_first ? S::kReset : S::kMail, now);
}

// RFC 2920 §3.1, RFC 3030 §4.2: the whole transaction up to 354, or with BDAT all of it, without waiting.
void ClientCore::write_flight() {
  flight_->write_mail(&output);
  flight_->write_all_rcpts(&output);
  if (chunked_) {
    flight_->write_bdat(&output);
    content_unsent_ = true;
  } else {
    output.append("DATA\r\n");
  }
}

void ClientCore::take_mail(const Reply& reply, conf::Instant now) {
  const bool for_parameters = learn_refused_parameters(reply);
  flight_->mail_reply(reply, for_parameters);
  mail_taken_ |= reply.positive();
  told_apart_ &= reply.about_address();
  last_refusal_ = reply.positive() || for_parameters || pipelined_ ? Reply() : reply;
  if (!pipelined_) {
    if (!reply.positive()) {
      after_refused_mail(now, for_parameters);
      return;
    }
    flight_->write_next_rcpt(&output);
  }
  go_to(S::kRcpt, now);
}

void ClientCore::take_rcpt(const Reply& reply, conf::Instant now) {
  told_apart_ &= reply.about_address();
  flight_->rcpt_reply(reply, learn_refused_parameters(reply));
  if (flight_->recipients_taken() != 0) lessons.recipients_per_transaction = flight_->recipients_taken();
  if (flight_->replies_due()) {
    arm(now);
  } else if (flight_->more_to_send()) {
    flight_->write_next_rcpt(&output);
    arm(now);
  } else {
    after_recipients(now);
  }
}

void ClientCore::after_recipients(conf::Instant now) {
  if (pipelined_) {
    go_to(chunked_ ? S::kDot : S::kData, now);
    return;
  }
  if (!flight_->anyone_accepted()) {
    ask_for_the_order(now);
    return;
  }
  output.append("DATA\r\n");
  go_to(S::kData, now);
}

void ClientCore::take_data(const Reply& reply, conf::Instant now) {
  if (reply.code != 354) {
    flight_->data_reply(reply);
    if (flight_->recipients_taken() != 0) lessons.recipients_per_transaction = flight_->recipients_taken();
    ask_for_the_order(now);
    return;
  }
  content_unsent_ = flight_->anyone_accepted();
  flight_->write_body(&output);
  go_to(S::kDot, now);
}

void ClientCore::take_end(Reply reply, conf::Instant now) {
  if (early_end_.code != 0) return settle_doubted_end(std::move(reply));
  last_refusal_ = reply.positive() ? Reply() : reply;
  flight_->end_reply(reply, learn_from_end(reply));
  if (flight_->recipients_taken() != 0) lessons.recipients_per_transaction = flight_->recipients_taken();
  if (!content_unsent_) return transaction_done(now);
  // Behind content that was refused before it had gone a command would be read as content, and a second word
  // about it as the answer to that command.
  hand_over();
  leave("the content was refused before it was sent", {});
}

void ClientCore::transaction_done(conf::Instant now) {
  hand_over();
  ready(now);
}

void ClientCore::hand_over() {
  ClientEvent event;
  event.kind = ClientEvent::Kind::kTransactionDone;
  event.outcomes = flight_->take_outcomes();
  events_.push_back(std::move(event));
  reset_due_ = reset_due_ || flight_->leaves_state();
  flight_.reset();
}

// Gives the recipients of the running transaction their outcomes; no more replies come.
void ClientCore::end_flight(const Reply& reply, Flight::Cut cut) {
  cut.stage = stage_of(state_);
  // BDAT ends as DATA would, or with DATA next time. A kept connection that had gone says nothing of it.
  if (flight_->by_bdat() && (state_ == S::kDot || !used())) lessons.refused.add(Extension::kChunking);
  flight_->cut_off(cut, reply);
  ClientEvent event;
  event.kind = ClientEvent::Kind::kTransactionDone;
  event.outcomes = flight_->take_outcomes();
  events_.push_back(std::move(event));
  flight_.reset();
}

void ClientCore::on_written(conf::Instant now) {
  if (!content_unsent_) return;
  content_unsent_ = false;
  arm(now);
}

void ClientCore::on_deadline(conf::Instant now) {
  if (now < deadline_) return;
  if (state_ == S::kQuit) {
    no_goodbye();
    return;
  }
  const char* waiting =
      content_unsent_ ? "timed out while sending the content and waiting for " : "timed out waiting for ";
  if (flight_ && timed_out_in_step()) {
    out_of_step(waiting + std::string(awaited(state_)), false);
    return;
  }
  close_broken(waiting + std::string(awaited(state_)), End::kTimedOut);
}

void ClientCore::on_peer_closed(std::string_view why) {
  if (state_ == S::kClosed) return;
  if (state_ == S::kQuit) {
    no_goodbye();
    return;
  }
  close_broken(why, End::kByPeer);
}

void ClientCore::quit(conf::Instant now) {
  if (state_ == S::kClosed || state_ == S::kQuit) return;
  if (state_ != S::kReady) {
    close_broken("closed by this side", End::kByUs);
    return;
  }
  output.append("QUIT\r\n");
  go_to(S::kQuit, now);
}

void ClientCore::close_broken(std::string_view error, End how) {
  const std::string why = error.empty() ? "the connection was closed" : std::string(error);
  output.clear();
  ClientEvent event;
  event.tls_failed = blame_tls(how);
  if (flight_) {
    Flight::Cut cut;
    cut.uncertain = flight_->body_written() && !content_unsent_ && !event.tls_failed;
    // A kept session that had gone before this transaction began: nothing was said about the message. Never
    // for the first transaction of a session: a message that breaks its peer would be tried for ever.
    const bool unsaid = !heard_ || (!cut.uncertain && (state_ == S::kReset || state_ == S::kMail));
    cut.not_tried = event.tls_failed || (how == End::kByPeer && used() && unsaid);
    event.blameless = cut.not_tried;
    if (pipelined_ && flight_->anyone_failed() && state_ != S::kDot) {  // a reply may have been lost
      cut.doubt = true;
      lessons.refused.add(Extension::kPipelining);
    }
    end_flight(Reply::make(0, why), cut);
  }
  event.error = why;
  push_closed(std::move(event));
}

void ClientCore::close_refused(Reply reply) {
  output.append("QUIT\r\n");  // RFC 5321 §4.1.1.10: not without it, even after a refusal
  ClientEvent event;
  event.tls_failed = refuses_tls(reply);
  event.reply = std::move(reply);
  push_closed(std::move(event));
}

void ClientCore::close_done(Reply reply) {
  ClientEvent event;
  event.blameless = flight_.has_value();
  if (flight_) hand_over();
  event.reply = std::move(reply);
  push_closed(std::move(event));
}

void ClientCore::push_closed(ClientEvent event) {
  event.kind = ClientEvent::Kind::kClosed;
  event.stage = stage_of(state_);
  event.content_unsent = content_unsent_;
  // A state without a clock: the moment does not matter.
  go_to(S::kClosed, conf::Instant());
  parser_.reset();
  events_.push_back(std::move(event));
}

}  // namespace relay::smtp
