// The step "send" of the walk, as far as it is the walk's: from a delivery whose turn it is to a transaction
// that a connection can send. The message is read, signed, its recipients chosen, its envelope composed. Loop
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "conf/vocab/result.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/queue/message_cache.h"
#include "relay/walk/attempts.h"
#include "relay/walk/envelope.h"
#include "relay/walk/mail_converter.h"
#include "relay/walk/own_verdicts.h"
#include "relay/walk/settlement.h"
#include "relay/walk/signing.h"
#include "relay/walk/walk.h"

namespace relay {

class Errands {
 public:
  // All are borrowed; `paths` may be null, see EnvelopeComposer, and so may `converter`: no mail is
  // converted then.
  Errands(queue::MessageCache* messages, Signing* signing, MailConverter* converter, const ReturnPaths* paths,
          Attempts* attempts, OwnVerdicts* verdicts, Settlement* settlement, Walk* walk)
      : messages_(messages),
        signing_(signing),
        converter_(converter),
        composer_(paths),
        attempts_(attempts),
        verdicts_(verdicts),
        settlement_(settlement),
        walk_(walk) {}

  // See DispatcherUser::next_errand().
  DispatcherUser::Answer next(queue::Delivery* delivery, const queue::Path& path, const ErrandTerms& terms,
                              Errand* errand, DispatcherUser::Later later);

 private:
  struct Request {  // what is left of the question when it is answered later
    queue::Delivery* delivery = nullptr;
    ErrandTerms terms;
    AttemptFacts facts;
    DispatcherUser::Later later;
  };
  void read(Request request);
  void was_read(const Request& request, conf::Result<queue::Message*> result);
  void sign(Request request);
  bool make_later(const Request& request, Errand* errand);
  bool make(queue::Delivery* delivery, size_t most_recipients, Errand* errand);
  void give_up(queue::Delivery* delivery, AttemptFacts facts);
  void put_off(queue::Delivery* delivery);
  void answer(Request request);
  void convert(Request request);
  void converted(const Request& request, std::optional<std::string> text);
  void send(const Request& request);
  void send_copy(const Request& request, const conf::Bytes& mail, std::string signature);
  void not_signed(const Request& request, const conf::Error& why);

  queue::MessageCache* messages_;
  Signing* signing_;
  MailConverter* converter_;
  EnvelopeComposer composer_;
  Attempts* attempts_;
  OwnVerdicts* verdicts_;
  Settlement* settlement_;
  Walk* walk_;
};

}  // namespace relay
