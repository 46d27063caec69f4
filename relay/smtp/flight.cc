#include "relay/smtp/flight.h"

#include <strings.h>

#include <algorithm>
#include <cstdint>

#include "bounce/protocol_words.h"
#include "bounce/qualifier.h"
#include "conf/vocab/check.h"
#include "relay/smtp/data_writer.h"
#include "relay/smtp/mime_entity.h"

namespace relay::smtp {

namespace {

using Kind = RecipientOutcome::Kind;
using bounce::Reply;
using bounce::Stage;

// What was refused for good, and is not the recipient's: it waits.
Reply that_waits(const Reply& reply) {
  return reply.permanent() ? Reply::make(0, std::to_string(reply.code) + ' ' + reply.text()) : reply;
}

// RFC 5321 §4.5.3.1.10: 452 behind others that were taken is about their number, however it is worded, unless
// it is read as one recipient's.
bool takes_no_more(const Reply& reply) {
  return reply.code == 452 && bounce::qualify(Stage::kRcpt, reply).scope != bounce::Scope::kRecipient;
}

}  // namespace

Flight::Flight(Transaction transaction, const PeerFeatures& peer)
    : transaction_(std::move(transaction)), peer_(peer) {
  fates_.assign(transaction_.recipients.size(), Fate::kOpen);
  outcomes_.resize(transaction_.recipients.size());
  check_addresses();
  check_content();
  next_to_send_ = next_to_answer_ = next_open(0);
}

uint64_t Flight::content_size() const { return transaction_.header_prefix.size() + transaction_.body.size(); }

void Flight::check_content() {
  parameters_.size_bytes = content_size();
  if (peer_.max_size > 0 && content_size() > peer_.max_size) {
    refuse_all_locally(552, "5.3.4 The message has " + std::to_string(content_size()) +
                                " octets, the receiving server takes at most " +
                                std::to_string(peer_.max_size));
    for (RecipientOutcome& outcome : outcomes_) outcome.octets = content_size();
    return;
  }
  const bool declared = transaction_.body_type == conf::BodyType::k8BitMime;
  // What was declared need not be looked at, unless the peer cannot take it.
  parameters_.eight_bit = declared && peer_.eight_bit_clean;
  if (!parameters_.eight_bit) {
    parameters_.eight_bit =
        has_eight_bit(transaction_.body.view()) || has_eight_bit(transaction_.header_prefix);
  }
  // RFC 6531 §3.4: not asked for when neither the envelope nor a header needs it, whatever the client said.
  const bool header = transaction_.smtputf8 && (has_eight_bit_header(transaction_.body.view()) ||
                                                has_eight_bit(transaction_.header_prefix));
  parameters_.smtputf8 = parameters_.smtputf8 || header;
  if (header && !peer_.smtputf8) {
    refuse_all_locally(550,
                       "5.6.7 The header has UTF-8 text and the receiving server does not offer SMTPUTF8");
    return;
  }
  if (parameters_.eight_bit && !peer_.eight_bit_clean) {
    refuse_all_locally(554, "5.6.3 The content is 8-bit and the receiving server does not offer 8BITMIME");
  }
}

void Flight::check_addresses() {
  if (!fits_command(transaction_.reverse_path)) {
    refuse_all_locally(553, "5.1.7 The reverse-path has characters that cannot be sent");
  }
  if (transaction_.reverse_path.has_utf8_local()) {
    parameters_.smtputf8 = true;
    if (!peer_.smtputf8) {
      refuse_all_locally(
          553,
          "5.6.7 The reverse-path has a UTF-8 local part and the receiving server does not offer "
          "SMTPUTF8");
    }
  }
  for (size_t i = 0; i < fates_.size(); ++i) {
    if (fates_[i] != Fate::kOpen) continue;
    const conf::Mailbox& mailbox = transaction_.recipients[i].mailbox;
    if (mailbox.is_null() || !fits_command(mailbox)) {
      refuse_locally(i, Reply::make(553, "5.1.3 The address has characters that cannot be sent"));
    } else if (mailbox.has_utf8_local()) {
      parameters_.smtputf8 = true;
      if (peer_.smtputf8) continue;
      refuse_locally(
          i,
          Reply::make(553, "5.6.7 The local part is UTF-8 and the receiving server does not offer SMTPUTF8"));
    }
  }
}

void Flight::refuse_locally(size_t at, const Reply& reply) {
  settle(at, Kind::kRefused, Stage::kLocal, reply);
  outcomes_[at].local = true;
}

void Flight::refuse_all_locally(uint16_t code, std::string text) {
  const Reply reply = Reply::make(code, std::move(text));
  for (size_t i = 0; i < fates_.size(); ++i) {
    if (fates_[i] == Fate::kOpen) refuse_locally(i, reply);
  }
}

size_t Flight::next_open(size_t from) const {
  while (from < fates_.size() && fates_[from] != Fate::kOpen) ++from;
  return from;
}

bool Flight::anyone_open() const {
  return std::any_of(fates_.begin(), fates_.end(), [](Fate fate) { return fate != Fate::kSettled; });
}

bool Flight::anyone_failed() const {
  return several() && std::any_of(outcomes_.begin(), outcomes_.end(), [](const RecipientOutcome& outcome) {
           return outcome.kind == Kind::kRefused && !outcome.local && outcome.reply.permanent();
         });
}

void Flight::write_mail(OutQueue* out) {
  line_.clear();
  append_mail(transaction_, parameters_, peer_, &line_);
  out->append(line_);
}

void Flight::write_next_rcpt(OutQueue* out) {
  line_.clear();
  append_rcpt(transaction_.recipients[next_to_send_], peer_, &line_);
  next_to_send_ = next_open(next_to_send_ + 1);
  out->append(line_);
}

void Flight::write_all_rcpts(OutQueue* out) {
  while (more_to_send()) write_next_rcpt(out);
}

void Flight::write_body(OutQueue* out) {
  body_written_ = true;
  if (accepted_ == 0) {
    out->append(".\r\n");
    return;
  }
  write_data(transaction_.header_prefix, transaction_.body, out);
}

void Flight::write_bdat(OutQueue* out) {
  body_written_ = by_bdat_ = true;
  line_.assign("BDAT ").append(std::to_string(content_size())).append(" LAST\r\n");
  out->append(line_);
  write_chunk(transaction_.header_prefix, transaction_.body, out);
}

void Flight::settle(size_t at, Kind kind, Stage stage, const Reply& reply) {
  CHECK(fates_[at] != Fate::kSettled);
  if (fates_[at] == Fate::kAccepted) --accepted_;
  fates_[at] = Fate::kSettled;
  outcomes_[at].kind = kind;
  outcomes_[at].stage = stage;
  outcomes_[at].reply = reply;
  name_refused(at);
}

// Servers say the local part alone.
void Flight::name_refused(size_t at) {
  if (outcomes_[at].kind == Kind::kRefused)
    outcomes_[at].local_part = transaction_.recipients[at].mailbox.local;
}

void Flight::settle_all(Fate which, Kind kind, Stage stage, const Reply& reply) {
  for (size_t i = 0; i < fates_.size(); ++i) {
    if (fates_[i] == which) settle(i, kind, stage, reply);
  }
}

ExtensionSet Flight::mail_extensions() const {
  ExtensionSet sent;
  if (peer_.size_known) sent.add(Extension::kSize);
  if (peer_.eight_bit_mime && parameters_.eight_bit) sent.add(Extension::kEightBitMime);
  if (peer_.smtputf8 && parameters_.smtputf8) sent.add(Extension::kSmtpUtf8);
  if (peer_.dsn && (transaction_.ret != conf::Ret::kUnset || !transaction_.envid.empty()))
    sent.add(Extension::kDsn);
  return sent;
}

ExtensionSet Flight::rcpt_extensions() const {
  ExtensionSet sent;
  const conf::Recipient& recipient = transaction_.recipients[next_to_answer_];
  if (peer_.dsn && (recipient.notify != conf::kNotifyDefault || !recipient.orcpt.empty()))
    sent.add(Extension::kDsn);
  return sent;
}

void Flight::mail_reply(const Reply& reply, bool for_parameters) {
  if (reply.positive()) {
    leaves_state_ = true;
  } else {
    settle_all(Fate::kOpen, for_parameters ? Kind::kNotTried : Kind::kRefused, Stage::kMail, reply);
  }
}

void Flight::rcpt_reply(const Reply& reply, bool for_parameters) {
  CHECK(replies_due());
  const size_t at = next_to_answer_;
  // Recipients settled by the reply to MAIL still get their own replies; those settled before sending do not.
  do {
    ++next_to_answer_;
  } while (next_to_answer_ < fates_.size() && outcomes_[next_to_answer_].local);
  if (fates_[at] != Fate::kOpen) return;
  if (reply.positive()) {
    fates_[at] = Fate::kAccepted;
    ++accepted_;
  } else if (for_parameters) {
    settle(at, Kind::kNotTried, Stage::kRcpt, reply);
  } else if (says_too_many_recipients(reply) || (accepted_ > 0 && takes_no_more(reply))) {
    // With nobody before it, it is about us: the recipient waits, whatever the class of the reply.
    if (accepted_ == 0) {
      settle(at, Kind::kRefused, Stage::kRcpt, that_waits(reply));
    } else {
      settle(at, Kind::kNotTried, Stage::kRcpt, reply);
      if (!too_many_) recipients_taken_ = static_cast<uint32_t>(accepted_);
      too_many_ = true;
    }
  } else {
    settle(at, Kind::kRefused, Stage::kRcpt, reply);
  }
  if (!too_many_ || replies_due()) return;
  // The rest was not sent: it goes into the next transaction.
  for (size_t i = next_to_send_; i < fates_.size(); ++i) {
    if (fates_[i] == Fate::kOpen) settle(i, Kind::kNotTried, Stage::kRcpt, reply);
  }
  next_to_send_ = next_to_answer_ = fates_.size();
}

// Too many recipients, said late: half of them at a time from now on.
bool Flight::split(const Reply& reply, Stage stage) {
  if (accepted_ == 0 || !says_too_many_recipients(reply)) return false;
  if (accepted_ == 1) {  // one is the least: it is about us
    settle_all(Fate::kAccepted, Kind::kRefused, stage, that_waits(reply));
    return true;
  }
  recipients_taken_ = static_cast<uint32_t>(accepted_ / 2);
  settle_all(Fate::kAccepted, Kind::kNotTried, stage, reply);
  return true;
}

void Flight::data_reply(const Reply& reply) {
  if (split(reply, Stage::kData)) return;
  settle_all(Fate::kAccepted, Kind::kRefused, Stage::kData, reply);
}

void Flight::end_reply(const Reply& reply, bool for_parameters) {
  // RFC 5321 §4.1.1.4: the end of data clears the buffers, whatever the reply. RFC 3030 §2: a refused BDAT
  // leaves an unknown state behind.
  leaves_state_ = by_bdat_ && !reply.positive();
  if (split(reply, Stage::kDot)) return;
  size_t left = accepted_;
  for (size_t i = 0; left > 0; ++i) {
    if (fates_[i] != Fate::kAccepted) continue;
    --left;
    RecipientOutcome& outcome = outcomes_[i];
    fates_[i] = Fate::kSettled;
    outcome.stage = Stage::kDot;
    const bool wants_word = (transaction_.recipients[i].notify & conf::kNotifySuccess) != 0;
    outcome.kind = for_parameters             ? Kind::kNotTried
                   : !reply.positive()        ? Kind::kRefused
                   : wants_word && !peer_.dsn ? Kind::kDeliveredNoDsn
                                              : Kind::kDelivered;
    outcome.reply = reply;
    name_refused(i);
  }
  accepted_ = 0;
}

void Flight::cut_off(const Cut& cut, const Reply& reply) {
  for (size_t i = 0; i < fates_.size(); ++i) {
    if (fates_[i] == Fate::kSettled) {
      const RecipientOutcome& known = outcomes_[i];
      const bool doubted =
          cut.doubt && known.kind == Kind::kRefused && (cut.not_tried || known.reply.permanent());
      if (!doubted || known.local) continue;
      fates_[i] = Fate::kOpen;
    }
    settle(i, cut.not_tried ? Kind::kNotTried : Kind::kRefused, cut.stage, reply);
    outcomes_[i].uncertain = cut.uncertain;
    outcomes_[i].broken = !cut.uncertain && reply.code == 0;
  }
}

}  // namespace relay::smtp
