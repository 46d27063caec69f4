// The part of ClientCore for what is wrong with the session and not with the message: replies out of step, a
// connection that has carried enough, parameters that the peer offered and does not know. Nobody bounces by
// it. On a used connection the message counts as not tried; on a fresh one only when something was learnt
// that makes the next attempt another one, for else it would be tried for ever.
#include "bounce/protocol_words.h"
#include "bounce/qualifier.h"
#include "conf/vocab/ascii.h"
#include "relay/smtp/client_core.h"
#include "relay/smtp/refused_parameters.h"

namespace relay::smtp {

namespace {

using S = ClientState;
using bounce::Reply;

bool is_answer(const Reply& reply) { return reply.positive() || reply.transient() || reply.permanent(); }

std::string shown(const Reply& reply) { return std::to_string(reply.code) + ' ' + reply.text(); }

// "No valid recipients" is said to DATA, unless it has a status about the address.
bool answers_data(const Reply& reply) { return bounce::says_no_recipient(reply) && !reply.about_address(); }

bool names_bdat(const Reply& reply) {
  if (!reply.transient() && !reply.permanent()) return false;
  const std::string text = conf::ascii_lower(reply.text());
  const auto has = [&text](std::string_view word) { return text.find(word) != std::string::npos; };
  return has("bdat") || has("chunking") || (reply.permanent() && has("command not "));
}

// The words ask for a slower pace, and not for another connection: the limiter must hear of it.
bool is_about_pace(const Reply& reply) {
  if (bounce::says_too_many_messages(reply)) return false;
  Reply words = reply;
  words.code = 450;  // a bare 421 would count as a wish for a slower pace
  return bounce::qualify(bounce::Stage::kMail, words).pace == bounce::Pace::kSlower;
}

// Taken, or refused for what it is, for whom it is or for our pace: by DATA it would be answered likewise.
bool refuses_the_mail(const Reply& reply) {
  if (reply.positive()) return true;
  const bounce::Qualification meaning = bounce::qualify(bounce::Stage::kDot, reply);
  if (meaning.pace == bounce::Pace::kSlower) return true;
  return !meaning.unread && meaning.scope != bounce::Scope::kSite &&
         meaning.scope != bounce::Scope::kConnection;
}

// RFC 5321 §4.2.2, RFC 3463 §3.6: the syntax of the command, not of what it brings.
bool refuses_form(const Reply& reply) {
  if (reply.code != 501 && reply.code != 555) return false;
  return reply.enhanced.present() ? reply.enhanced.subject == 5 : !refuses_the_mail(reply);
}

// The command came in pieces, or at another point of the dialog. Words that nobody listed leave it to the
// code, unless they name a mailbox, a policy or whatever else the rules know.
bool says_lost(bounce::Stage stage, const Reply& reply) {
  if (bounce::says_bad_sequence(reply) || bounce::says_command_lost(reply)) return true;
  if (!bounce::is_about_command(reply)) return false;
  const bounce::Qualification meaning = bounce::qualify(stage, reply);
  return meaning.unread && meaning.scope == bounce::Scope::kMessage;
}

}  // namespace

void ClientCore::take_421(Reply reply) {
  if (leave_tls(reply)) return;
  ClientEvent event;
  event.tls_failed = refuses_tls(reply);
  if (flight_) {
    Flight::Cut cut;
    cut.uncertain = early_end_.code != 0;  // it may answer QUIT
    if ((state_ == S::kReset || state_ == S::kMail) && used()) {
      cut.not_tried = true;
      event.blameless = !is_about_pace(reply);
      if (event.blameless && !bounce::says_idle_or_closing_down(reply))
        lessons.messages_per_connection = transactions - 1;
    } else if (used() && !cut.uncertain && bounce::says_too_many_messages(reply)) {
      cut.not_tried = event.blameless = true;
      lessons.messages_per_connection = transactions - 1;
    } else if (state_ == S::kRcpt && flight_->anyone_accepted() && bounce::says_too_many_recipients(reply)) {
      cut.not_tried = event.blameless = true;
      lessons.recipients_per_transaction = static_cast<uint32_t>(flight_->accepted());
    }
    end_flight(reply, cut);
  } else if (state_ == S::kReady && transactions > 0) {
    event.blameless = !is_about_pace(reply);
    if (bounce::says_too_many_messages(reply)) lessons.messages_per_connection = transactions;
  }
  event.reply = std::move(reply);
  push_closed(std::move(event));
}

// Whether the reply to a command of a transaction says that the two sides are not at the same point.
bool ClientCore::is_session_trouble(const Reply& reply) const {
  // Some say 503 to a recipient too many.
  if (state_ != S::kReset && state_ != S::kMail && bounce::says_too_many_recipients(reply)) return false;
  switch (state_) {
    case S::kReset:
      return !reply.positive();
    case S::kMail:
      return says_lost(stage_of(state_), reply) || follows_its_double(reply);
    case S::kRcpt:  // after a refused MAIL it is only natural
      return flight_->leaves_state() &&
             (says_lost(stage_of(state_), reply) || (pipelined_ && answers_data(reply)));
    case S::kData:
    case S::kDot:
      return flight_->anyone_accepted() &&
             (says_lost(stage_of(state_), reply) || bounce::says_no_recipient(reply));
    default:
      return false;
  }
}

// The word that ended the last transaction, once more: it was said twice, or the peer does not like us. A
// fresh connection shows which.
bool ClientCore::follows_its_double(const Reply& reply) const {
  return used() && reply.permanent() && reply.code == last_refusal_.code &&
         reply.lines == last_refusal_.lines;
}

// True: nothing is left to do with the reply; mostly the session is over, and everybody has an outcome.
bool ClientCore::leave_if_troubled(const Reply& reply) {
  if (state_ == S::kReady || state_ == S::kSecret) {
    leave("a reply came that nothing asked for: " + shown(reply), {});
    return true;
  }
  const bool continues =
      (reply.code == 354 && state_ == S::kData) || (reply.code == 334 && state_ == S::kAuth);
  const bool data_wants_354 = state_ == S::kData && reply.positive();
  if ((!is_answer(reply) && !continues) || data_wants_354) {
    const std::string why = "got " + shown(reply) + " while waiting for " + awaited(state_);
    if (flight_) {
      out_of_step(why, false);
    } else {
      close_broken(why, End::kByPeer);
    }
    return true;
  }
  if (!flight_) return false;
  if (state_ == S::kDot && pipelined_ && flight_->by_bdat() && !flight_->anyone_accepted() &&
      reply.positive()) {
    // RFC 3030 §2: without a recipient BDAT is refused. A reply too many was taken for the answer to RCPT.
    if (!used()) lessons.refused.add(Extension::kPipelining);
    Flight::Cut cut;
    cut.not_tried = cut.doubt = true;
    leave("the content was taken for recipients that were refused: " + shown(reply), cut);
    return true;
  }
  if (state_ == S::kDot && flight_->anyone_accepted()) {
    // RFC 5321 §4.1.1.4: the reply to the end of data comes after it.
    if (reply.positive() && content_unsent_) {
      took_early(shown(reply));
      return true;
    }
    // About an address, or it cannot be told: either this answers RCPT or MAIL, and a reply too many came
    // before, or the peer words it so. To leave now would send the content again with each try.
    if (reply.positive() && chunked_ && (reply.about_address() || (!told_apart_ && early_end_.code == 0))) {
      doubt_end(reply);
      return true;
    }
    if (flight_->by_bdat() &&
        (refuses_form(reply) || bounce::says_unknown_command(reply) || names_bdat(reply))) {
      // What follows BDAT was read as commands.
      lessons.refused.add(Extension::kChunking);
      Flight::Cut cut;
      cut.uncertain = early_end_.code != 0;  // a 250 came before, perhaps for the content
      cut.not_tried = !cut.uncertain;
      leave("BDAT was offered and then refused: " + shown(reply), cut);
      return true;
    }
  }
  if (leave_tls(reply) || leave_clear(reply) || leave_if_slipped_from_mail(reply)) return true;
  if (!names_parameters(reply) && is_session_trouble(reply)) {
    out_of_step("got " + shown(reply) + " while waiting for " + awaited(state_), early_end_.code == 0);
    return true;
  }
  const bool full = used() && !reply.positive() && (state_ == S::kMail || flight_->leaves_state());
  const bool nobody = !flight_->anyone_accepted();
  if (full && (nobody || state_ != S::kRcpt) && bounce::says_too_many_messages(reply)) {
    lessons.messages_per_connection = transactions - 1;
  } else if (!full || !nobody || state_ != S::kRcpt || !bounce::says_too_many_recipients(reply)) {
    return false;
  }
  Flight::Cut cut;
  cut.not_tried = true;
  leave("the connection takes no more: " + shown(reply), cut);
  return true;
}

void ClientCore::took_early(const std::string& words) {
  Flight::Cut cut;
  cut.uncertain = true;
  leave("the peer took the message before it was sent: " + words, cut);
}

// A RCPT without parameters is told that they are refused: this answers MAIL, and a reply too many came
// before. Without them the next MAIL is another one.
bool ClientCore::leave_if_slipped_from_mail(const Reply& reply) {
  if (state_ != S::kRcpt || !flight_->leaves_state() || !extensions_sent().empty()) return false;
  if (!is_about_parameters(reply)) return false;
  const ExtensionSet of_mail = refused_parameters(reply, flight_->mail_extensions());
  if (of_mail.empty()) return false;
  lessons.refused.add(of_mail);
  Flight::Cut cut;
  cut.not_tried = cut.doubt = true;
  leave("RCPT was answered as if it were MAIL: " + shown(reply), cut);
  return true;
}

// `definite`: the peer said no; silence, or nonsense, after the end of data leaves a doubt.
void ClientCore::out_of_step(const std::string& why, bool definite) {
  Flight::Cut cut;
  const bool in_group = pipelined_ && (state_ == S::kMail || state_ == S::kRcpt || state_ == S::kData);
  if (in_group && !used()) lessons.refused.add(Extension::kPipelining);
  cut.uncertain = state_ == S::kDot && !definite;
  cut.not_tried = !cut.uncertain && (used() || in_group);
  cut.doubt = !definite || in_group || flight_->several();
  learn_one_by_one();
  leave(why, cut);
}

// Replies that cannot be told apart are asked for one by one; and where that does not help, one recipient at
// a time is sure to be refused by no word but its own.
void ClientCore::learn_one_by_one() {
  if (!pipelined_ && !used() && flight_->several()) lessons.recipients_per_transaction = 1;
}

// RFC 2920 §3.2: only their order tells whom replies are about. 354 proves it. Where that does not come and
// one of several recipients would fail for good, QUIT is asked: behind a reply too many its 221 is not the
// next.
void ClientCore::ask_for_the_order(conf::Instant now) {
  if (!flight_->leaves_state() || !flight_->anyone_failed()) return transaction_done(now);
  output.append("QUIT\r\n");
  go_to(S::kQuit, now);
}

// A second word about the last message, said late, stands where the answer to MAIL is due. QUIT is asked:
// then that answer comes, and not 221. In a group the replies behind MAIL show it.
void ClientCore::after_refused_mail(conf::Instant now, bool for_parameters) {
  if (!used() || in_step_ || for_parameters) return transaction_done(now);
  output.append("QUIT\r\n");
  go_to(S::kQuit, now);
}

// QUIT is asked: where the content was answered, the next reply is its 221. With DATA there is 354 between
// the replies, and no such doubt.
void ClientCore::doubt_end(const Reply& reply) {
  lessons.refused.add(Extension::kChunking);
  if (early_end_.code == 0) output.append("QUIT\r\n");
  early_end_ = reply;
}

// True: the content was refused for its 8-bit octets, by a peer that offered to take them. It is sent again,
// in seven bits where that can be.
bool ClientCore::learn_from_end(const Reply& reply) {
  if (!flight_->anyone_accepted()) return false;
  if (flight_->by_bdat() && !refuses_the_mail(reply)) lessons.refused.add(Extension::kChunking);
  const bool meant = flight_->eight_bit() && peer.eight_bit_clean && !options_.eight_bit_anyway;
  if (!meant || !refuses_eight_bit(reply)) return false;
  ExtensionSet eight_bit;
  eight_bit.add(Extension::kEightBitContent);
  lessons.refused.add(eight_bit);
  leave_out(eight_bit, &peer);
  return true;
}

void ClientCore::settle_doubted_end(Reply reply) {
  const bool was_the_end = reply.code == 221;
  if (!was_the_end && !used()) lessons.refused.add(Extension::kPipelining);
  flight_->end_reply(was_the_end ? early_end_ : reply);
  if (was_the_end) return close_done(std::move(reply));
  hand_over();
  leave("the replies are out of step", {});
}

// QUIT was asked, and the answer to MAIL is not proven.
bool ClientCore::mail_in_doubt() const { return flight_ && !pipelined_ && !flight_->leaves_state(); }

// One by one a server that says goodbye in words of its own is believed, but not about MAIL, which a fresh
// connection is asked again; no word of goodbye is a refusal, and DATA may have got one.
void ClientCore::take_goodbye(Reply reply) {
  const bool no_goodbye = reply.code != 221 && (reply.code != 421 || mail_in_doubt());
  const bool too_many =
      no_goodbye && (pipelined_ || mail_in_doubt() || !reply.positive() || reply.about_address());
  if (!flight_ || !too_many) return close_done(std::move(reply));
  Flight::Cut cut;
  cut.doubt = true;
  cut.not_tried = pipelined_ || used();
  if (pipelined_) lessons.refused.add(Extension::kPipelining);
  learn_one_by_one();
  leave("got " + shown(reply) + " while waiting for " + awaited(state_), cut);
}

// The connection ended, or said nothing, when QUIT was asked.
void ClientCore::no_goodbye() {
  if (!mail_in_doubt()) return close_done(Reply());
  Flight::Cut cut;
  cut.doubt = cut.not_tried = true;
  leave("MAIL was refused, perhaps by a second word about the last message, and QUIT got no answer", cut);
}

// RFC 3207 §4, RFC 7435: where TLS is not demanded, what breaks by it is tried in clear. A peer of TLS 1.3
// says what it objects to when the handshake is over on this side; some take it back at the first command.
bool ClientCore::blame_tls(End how) {
  if (!options_.tls_fallback || mail_taken_ || used() || how == End::kByUs) return false;
  const bool starting = state_ == S::kStartTls || state_ == S::kHandshake;
  const bool begun = tls && (state_ == S::kEhlo || state_ == S::kHelo);
  // Silence: nothing was said, and no content has gone that it might be about.
  const bool silent = how == End::kTimedOut && state_ == S::kMail && flight_ && !flight_->body_written();
  const bool at_mail = tls && flight_ && (how == End::kByPeer || silent);
  if (!starting && !begun && !at_mail) return false;
  lessons.refused.add(Extension::kStartTls);
  return true;
}

// A wish for a slower pace, and the host's going down, are not about TLS: in clear they would be said again,
// and the limiter must hear them.
bool ClientCore::refuses_tls(const Reply& reply) {
  const bool about_more = is_about_pace(reply) || bounce::says_going_down(reply);
  if (about_more && !bounce::says_tls_fails(reply)) return false;
  return blame_tls(End::kRefused);
}

// The objection to TLS 1.3, or to a missing certificate, may come as the reply to the first MAIL.
bool ClientCore::leave_tls(const Reply& reply) {
  if (state_ != S::kMail || !tls || !bounce::says_tls_fails(reply) || !blame_tls(End::kByPeer)) return false;
  close_broken(shown(reply), End::kByPeer);
  return true;
}

// It was left out because it had failed, and this peer takes no mail without it: broken TLS is then trouble
// of the way to it, and its mail waits for that.
bool ClientCore::leave_clear(const Reply& reply) {
  if (state_ != S::kMail || !tls_left_ || mail_taken_ || !bounce::says_tls_wanted(reply)) return false;
  lessons.wants_tls = true;
  Flight::Cut cut;
  cut.not_tried = true;
  leave("TLS was left out, and is wanted: " + shown(reply), cut);
  return true;
}

// A reply was lost in a group of commands, or the connection was dead before MAIL.
bool ClientCore::timed_out_in_step() const {
  if (flight_->body_written()) return false;
  if (used() && (state_ == S::kReset || state_ == S::kMail)) return true;
  return pipelined_ && !used() && heard_ && (state_ == S::kRcpt || state_ == S::kData);
}

void ClientCore::leave(const std::string& why, Flight::Cut cut) {
  const bool may_quit = !content_unsent_ && state_ != S::kQuit && early_end_.code == 0;
  ClientEvent event;
  event.error = why;
  event.blameless = !flight_ || cut.not_tried;
  if (flight_) end_flight(Reply::make(0, why), cut);
  output.clear();
  if (may_quit) output.append("QUIT\r\n");
  push_closed(std::move(event));
}

ExtensionSet ClientCore::extensions_sent() const {
  if (state_ == S::kMail) return flight_->mail_extensions();
  return state_ == S::kRcpt ? flight_->rcpt_extensions() : ExtensionSet();
}

bool ClientCore::names_parameters(const Reply& reply) const {
  return !reply.positive() && !refused_parameters(reply, extensions_sent()).empty();
}

// True: the command was refused for a parameter that this peer offered. It is left out from now on.
bool ClientCore::learn_refused_parameters(const Reply& reply) {
  if (reply.positive()) return false;
  const ExtensionSet meant = refused_parameters(reply, extensions_sent());
  if (meant.empty()) return false;
  lessons.refused.add(meant);
  leave_out(meant, &peer);
  return true;
}

}  // namespace relay::smtp
