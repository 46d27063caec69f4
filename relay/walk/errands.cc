#include "relay/walk/errands.h"

#include <memory>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/smtp/mime_entity.h"
#include "relay/walk/seven_bit.h"

namespace relay {

using Answer = DispatcherUser::Answer;

namespace {

// Whether something else is sent in place of the message, to a server that takes seven bits only.
bool must_convert(const queue::Message& message, const ErrandTerms& terms,
                  const conf::DestinationSettings& settings) {
  const conf::EightBit policy = settings.peer.eight_bit;
  if (policy == conf::EightBit::kRefuse || policy == conf::EightBit::kSend) return false;
  const bool utf8 = message.record.envelope.smtputf8;
  if (!terms.seven_bit && !(terms.no_utf8 && utf8)) return false;
  const std::string_view mail = message.body.view();
  if (terms.seven_bit ? !smtp::has_eight_bit(mail) : !smtp::has_eight_bit_header(mail)) return false;
  if (policy == conf::EightBit::kConvert && is_signed_by_others(mail)) return false;
  // RFC 6531: local parts in UTF-8 have no other form. The fields of parts hold none.
  return !(utf8 && has_utf8_address(mail));
}

}  // namespace

Answer Errands::next(queue::Delivery* delivery, const queue::Path& path, const ErrandTerms& terms,
                     Errand* errand, DispatcherUser::Later later) {
  if (delivery->message == nullptr) delivery->message = messages_->pin_now(delivery->id);
  const bool here = delivery->message != nullptr && delivery->message->body.has_value();
  const bool done = here && signing_->is_done(delivery->message);
  const bool converts =
      done && converter_ != nullptr && must_convert(*delivery->message, terms, *path.settings);
  if (done && !converts) {
    if (!walk_->is_over(*delivery, *path.settings))
      return make(delivery, terms.most_recipients, errand) ? Answer::kNow : Answer::kNone;
    give_up(delivery, facts_of_path(path));
    return Answer::kNone;
  }
  Request request;
  request.delivery = delivery;
  request.terms = terms;
  request.facts = facts_of_path(path);
  request.later = std::move(later);
  if (converts) {
    convert(std::move(request));
  } else if (here) {
    sign(std::move(request));
  } else {
    read(std::move(request));
  }
  return Answer::kLater;
}

void Errands::convert(Request request) {
  auto kept = std::make_shared<Request>(std::move(request));
  const bool all = kept->facts.settings->peer.eight_bit == conf::EightBit::kConvertSigned;
  converter_->submit(kept->delivery->message->body, all ? SignedParts::kConvert : SignedParts::kKeep,
                     [this, kept](std::optional<std::string> text) { converted(*kept, std::move(text)); });
}

// Signed again, for what was signed is not what is sent. What cannot be converted is sent as it is.
void Errands::converted(const Request& request, std::optional<std::string> text) {
  if (!text) {
    send(request);
    return;
  }
  const conf::Bytes mail(std::move(*text));
  if (!signing_->is_on()) {
    send_copy(request, mail, "");
    return;
  }
  signing_->sign_copy(*request.delivery->message, mail,
                      [this, request, mail](conf::Result<std::string> signature) {
                        if (signature.ok()) {
                          send_copy(request, mail, std::move(*signature));
                        } else {
                          not_signed(request, signature.error());
                        }
                      });
}

void Errands::send_copy(const Request& request, const conf::Bytes& mail, std::string signature) {
  Errand errand;
  if (!make_later(request, &errand)) {
    request.later(std::nullopt);
    return;
  }
  errand.transaction.body = mail;
  errand.transaction.body_type = conf::BodyType::k7Bit;
  errand.transaction.header_prefix = std::move(signature);
  request.later(std::move(errand));
}

void Errands::read(Request request) {
  const conf::MessageId id = request.delivery->id;
  const queue::BodySize size = request.delivery->size;
  messages_->pin_to_send(
      id, size, [this, request = std::move(request)](auto read) { was_read(request, std::move(read)); });
}

void Errands::was_read(const Request& request, conf::Result<queue::Message*> result) {
  queue::Delivery* delivery = request.delivery;
  if (!result.ok()) {
    attempts_->take_waiting(*delivery);
    if (delivery->message != nullptr) messages_->unpin(std::exchange(delivery->message, nullptr));
    walk_->unreadable(delivery, result.error());
    request.later(std::nullopt);
    return;
  }
  if (delivery->message == nullptr) {
    delivery->message = *result;
  } else {
    messages_->unpin(*result);
  }
  if (signing_->is_done(delivery->message)) {
    answer(request);
  } else {
    sign(request);
  }
}

void Errands::sign(Request request) {
  queue::Message* message = request.delivery->message;
  auto kept = std::make_shared<Request>(std::move(request));
  const bool at_once = signing_->ready(message, [this, kept](const conf::Status& status) {
    if (status.ok()) {
      answer(*kept);
    } else {
      not_signed(*kept, status.error());
    }
  });
  CHECK(!at_once);
}

void Errands::not_signed(const Request& request, const conf::Error& why) {
  attempts_->take_waiting(*request.delivery);
  request.delivery->path = nullptr;
  verdicts_->refuse(request.delivery, bounce::Stage::kLocal,
                    bounce::Reply::make(451, "4.7.5 not signed: " + why.detail), request.facts);
  request.later(std::nullopt);
}

void Errands::answer(Request request) {
  if (converter_ != nullptr &&
      must_convert(*request.delivery->message, request.terms, *request.facts.settings)) {
    convert(std::move(request));
  } else {
    send(request);
  }
}

void Errands::send(const Request& request) {
  Errand errand;
  const bool made = make_later(request, &errand);
  request.later(made ? std::optional<Errand>(std::move(errand)) : std::nullopt);
}

// Reading, signing and converting it took a while.
bool Errands::make_later(const Request& request, Errand* errand) {
  if (!walk_->is_over(*request.delivery, *request.facts.settings))
    return make(request.delivery, request.terms.most_recipients, errand);
  give_up(request.delivery, request.facts);
  return false;
}

// What waits on a path is looked at once a minute, and in parts: its end may come between.
void Errands::give_up(queue::Delivery* delivery, AttemptFacts facts) {
  attempts_->take_waiting(*delivery);
  delivery->path = nullptr;
  verdicts_->expire(delivery, "its destination", std::move(facts));
}

// Whatever of it was sent is settled; what was not goes where its stream waits.
void Errands::put_off(queue::Delivery* delivery) {
  attempts_->take_waiting(*delivery);
  if (delivery->state == queue::DeliveryState::kSending) {
    settlement_->conclude(delivery);
    return;
  }
  delivery->path = nullptr;
  walk_->advance(delivery);
}

bool Errands::make(queue::Delivery* delivery, size_t most_recipients, Errand* errand) {
  if (walk_->is_paused(*delivery)) {
    put_off(delivery);
    return false;
  }
  std::vector<uint32_t> waiting = attempts_->take_waiting(*delivery);
  if (waiting.empty()) waiting = verdicts_->take_recipients_now(delivery);
  if (waiting.empty()) {
    settlement_->conclude(delivery);
    return false;
  }
  if (delivery->state != queue::DeliveryState::kSending) delivery->move_to(queue::DeliveryState::kSending);
  errand->transaction = composer_.compose(*delivery->message, most_recipients, &waiting, &errand->recipients);
  attempts_->put_waiting(*delivery, std::move(waiting));
  return true;
}

}  // namespace relay
