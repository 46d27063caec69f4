#include "relay/walk/errands.h"

#include <memory>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/smtp/mime_entity.h"
#include "relay/walk/seven_bit.h"

namespace relay {

using Answer = DispatcherUser::Answer;

Answer Errands::next(queue::Delivery* delivery, const queue::Path& path, const ErrandTerms& terms,
                     Errand* errand, DispatcherUser::Later later) {
  if (delivery->message == nullptr) delivery->message = messages_->pin_now(delivery->id);
  const bool here = delivery->message != nullptr && delivery->message->body.has_value();
  const bool done = here && signing_->is_done(delivery->message);
  std::optional<std::string> text;
  if (done) {
    text = converted(*delivery->message, terms, *path.settings);
    if (!text) return make(delivery, terms.most_recipients, errand) ? Answer::kNow : Answer::kNone;
  }
  Request request;
  request.delivery = delivery;
  request.terms = terms;
  request.facts.settings = path.settings;
  request.facts.site = path.site->label;
  request.facts.source = path.source.name;
  request.later = std::move(later);
  if (text) return convert(std::move(request), std::move(*text), errand);
  if (here) {
    sign(std::move(request));
  } else {
    read(std::move(request));
  }
  return Answer::kLater;
}

std::optional<std::string> Errands::converted(const queue::Message& message, const ErrandTerms& terms,
                                              const conf::DestinationSettings& settings) const {
  const conf::EightBit policy = settings.peer.eight_bit;
  if (policy == conf::EightBit::kRefuse || policy == conf::EightBit::kSend) return std::nullopt;
  const bool utf8 = message.record.envelope.smtputf8;
  if (!terms.seven_bit && !(terms.no_utf8 && utf8)) return std::nullopt;
  const std::string_view mail = message.body.view();
  if (terms.seven_bit ? !smtp::has_eight_bit(mail) : !smtp::has_eight_bit_header(mail)) return std::nullopt;
  if (policy == conf::EightBit::kConvert && is_signed_by_others(mail)) return std::nullopt;
  // RFC 6531: addresses in UTF-8 have no other form. The fields of parts hold none.
  if (utf8 && smtp::has_eight_bit(mail.substr(0, mail.find("\r\n\r\n")))) return std::nullopt;
  return to_seven_bit(mail);
}

// Signed again, for what was signed is not what is sent.
Answer Errands::convert(Request request, std::string text, Errand* errand) {
  const conf::Bytes mail(std::move(text));
  const auto put = [](const conf::Bytes& body, std::string signature, Errand* into) {
    into->transaction.body = body;
    into->transaction.body_type = conf::BodyType::k7Bit;
    into->transaction.header_prefix = std::move(signature);
  };
  if (!signing_->is_on()) {
    if (!make(request.delivery, request.terms.most_recipients, errand)) return Answer::kNone;
    put(mail, "", errand);
    return Answer::kNow;
  }
  auto kept = std::make_shared<Request>(std::move(request));
  signing_->sign_copy(*kept->delivery->message, mail,
                      [this, kept, mail, put](conf::Result<std::string> signature) {
                        if (!signature.ok()) return not_signed(*kept, signature.error());
                        Errand made;
                        if (!make(kept->delivery, kept->terms.most_recipients, &made))
                          return kept->later(std::nullopt);
                        put(mail, std::move(*signature), &made);
                        kept->later(std::move(made));
                      });
  return Answer::kLater;
}

void Errands::read(Request request) {
  const conf::MessageId id = request.delivery->id;
  messages_->pin(id, true, [this, request = std::move(request)](conf::Result<queue::Message*> result) {
    queue::Delivery* delivery = request.delivery;
    if (!result.ok()) {
      waiting_.erase(delivery);
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
  });
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
  waiting_.erase(request.delivery);
  request.delivery->path = nullptr;
  verdicts_->refuse(request.delivery, bounce::Stage::kLocal,
                    bounce::Reply::make(451, "4.7.5 not signed: " + why.detail), request.facts);
  request.later(std::nullopt);
}

void Errands::answer(const Request& request) {
  Errand errand;
  std::optional<std::string> text =
      converted(*request.delivery->message, request.terms, *request.facts.settings);
  Answer answer = Answer::kNow;
  if (text) {
    answer = convert(request, std::move(*text), &errand);
  } else if (!make(request.delivery, request.terms.most_recipients, &errand)) {
    answer = Answer::kNone;
  }
  if (answer == Answer::kNow) request.later(std::move(errand));
  if (answer == Answer::kNone) request.later(std::nullopt);
}

bool Errands::make(queue::Delivery* delivery, size_t most_recipients, Errand* errand) {
  std::vector<uint32_t> waiting;
  if (const auto left = waiting_.find(delivery); left != waiting_.end()) {
    waiting = std::move(left->second);
    waiting_.erase(left);
  } else {
    waiting = verdicts_->recipients_now(delivery);
  }
  if (waiting.empty()) {
    settlement_->conclude(delivery);
    return false;
  }
  if (delivery->state != queue::DeliveryState::kSending) delivery->move_to(queue::DeliveryState::kSending);
  errand->transaction = composer_.compose(*delivery->message, most_recipients, &waiting, &errand->recipients);
  if (!waiting.empty()) waiting_.emplace(delivery, std::move(waiting));
  return true;
}

}  // namespace relay
