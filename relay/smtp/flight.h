// Flight: one transaction under way. It writes the commands and the body, and turns each reply into what
// became of the recipients it is about. It does not know the order of things: the session does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bounce/reply.h"
#include "relay/net/out_queue.h"
#include "relay/smtp/client_command.h"
#include "relay/smtp/lessons.h"
#include "relay/smtp/peer_features.h"
#include "relay/smtp/transaction.h"

namespace relay::smtp {

class Flight {
 public:
  // Settles at once what cannot be sent to this peer: size (5.3.4), 8-bit content (5.6.3), SMTPUTF8 (5.6.7),
  // addresses that would break a command line. O(body) when the content's type is not known.
  Flight(Transaction transaction, const PeerFeatures& peer);

  uint64_t content_size() const;
  void write_mail(OutQueue* out);
  bool more_to_send() const { return next_to_send_ < fates_.size(); }
  void write_next_rcpt(OutQueue* out);
  void write_all_rcpts(OutQueue* out);
  void write_body(OutQueue* out);  // after 354: only the lone dot when nobody was accepted (RFC 2920 §3.1)
  void write_bdat(OutQueue* out);  // BDAT n LAST and the content
  bool body_written() const { return body_written_; }

  // Replies in their order. The session has taken care of 421 and of replies that make no sense.
  // `for_parameters`: refused for a parameter that can be left out: nobody is refused by that.
  void mail_reply(const bounce::Reply& reply, bool for_parameters);
  void rcpt_reply(const bounce::Reply& reply, bool for_parameters);
  void data_reply(const bounce::Reply& reply);
  void end_reply(const bounce::Reply& reply, bool for_parameters = false);
  bool replies_due() const { return next_to_answer_ < next_to_send_; }  // of RCPT commands written
  bool anyone_accepted() const { return accepted_ > 0; }
  bool anyone_open() const;  // somebody may still be delivered to
  bool by_bdat() const { return by_bdat_; }
  bool eight_bit() const { return parameters_.eight_bit; }  // the content has octets above 127
  size_t accepted() const { return accepted_; }
  bool several() const { return outcomes_.size() > 1; }
  // Of several recipients one is about to fail by a reply of the peer.
  bool anyone_failed() const;
  // As many recipients as one transaction seems to take; 0: the peer did not say that there are too many.
  uint32_t recipients_taken() const { return recipients_taken_; }
  // Whose parameters MAIL, or the RCPT that the next reply is about, carried.
  ExtensionSet mail_extensions() const;
  ExtensionSet rcpt_extensions() const;
  bool leaves_state() const { return leaves_state_; }  // the peer still holds a transaction: RSET first

  // No more replies come. Those without an outcome get `reply` (code 421, or code 0 and the reason) at
  // `stage`.
  struct Cut {
    bounce::Stage stage = bounce::Stage::kMail;
    bool uncertain = false;  // the end of data may have been taken
    bool not_tried = false;  // an idle session had gone before the peer saw anything
    // Refusals may have been answers to other commands: nobody fails by them, and none counts where
    // `not_tried`.
    bool doubt = false;
  };
  void cut_off(const Cut& cut, const bounce::Reply& reply);
  std::vector<RecipientOutcome> take_outcomes() { return std::move(outcomes_); }

 private:
  enum class Fate : uint8_t { kOpen, kAccepted, kSettled };
  void settle(size_t at, RecipientOutcome::Kind kind, bounce::Stage stage, const bounce::Reply& reply);
  void name_refused(size_t at);
  void settle_all(Fate which, RecipientOutcome::Kind kind, bounce::Stage stage, const bounce::Reply& reply);
  void refuse_locally(size_t at, const bounce::Reply& reply);
  void refuse_all_locally(uint16_t code, std::string text);
  void check_content();
  void check_addresses();
  size_t next_open(size_t from) const;
  bool split(const bounce::Reply& reply, bounce::Stage stage);

  Transaction transaction_;
  const PeerFeatures peer_;
  MailParameters parameters_;
  std::vector<Fate> fates_;
  std::vector<RecipientOutcome> outcomes_;
  std::string line_;           // scratch: commands of a flight, joined
  size_t next_to_send_ = 0;    // RCPT
  size_t next_to_answer_ = 0;  // RCPT
  size_t accepted_ = 0;
  bool too_many_ = false;  // the peer takes no more recipients in this transaction
  uint32_t recipients_taken_ = 0;
  bool body_written_ = false;
  bool by_bdat_ = false;
  bool leaves_state_ = false;
};

}  // namespace relay::smtp
