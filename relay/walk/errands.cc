#include "relay/walk/errands.h"

#include <memory>
#include <utility>

#include "conf/vocab/check.h"

namespace relay {

using Answer = DispatcherUser::Answer;

Answer Errands::next(queue::Delivery* delivery, const queue::Path& path, size_t most, Errand* errand,
                     DispatcherUser::Later later) {
  if (delivery->message == nullptr) delivery->message = messages_->pin_now(delivery->id);
  const bool here = delivery->message != nullptr && delivery->message->body.has_value();
  if (here && signing_->is_done(*delivery->message))
    return make(delivery, most, errand) ? Answer::kNow : Answer::kNone;
  Request request;
  request.delivery = delivery;
  request.most_recipients = most;
  request.facts.settings = path.settings;
  request.facts.site = path.site->label;
  request.facts.source = path.source.name;
  request.later = std::move(later);
  if (here) {
    sign(std::move(request));
  } else {
    read(std::move(request));
  }
  return Answer::kLater;
}

void Errands::read(Request request) {
  queue::Delivery* delivery = request.delivery;
  messages_->pin(delivery->id, true,
                 [this, request = std::move(request)](conf::Result<queue::Message*> result) {
                   queue::Delivery* delivery = request.delivery;
                   if (!result.ok()) {
                     if (delivery->message != nullptr)
                       messages_->unpin(std::exchange(delivery->message, nullptr));
                     owner_->load_failed(delivery, result.error());
                     request.later(std::nullopt);
                     return;
                   }
                   if (delivery->message == nullptr) {
                     delivery->message = *result;
                   } else {
                     messages_->unpin(*result);
                   }
                   if (signing_->is_done(*delivery->message)) {
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
      owner_->not_signed(kept->delivery, status.error(), kept->facts);
      kept->later(std::nullopt);
    }
  });
  CHECK(!at_once);
}

void Errands::answer(const Request& request) {
  Errand errand;
  if (make(request.delivery, request.most_recipients, &errand)) {
    request.later(std::move(errand));
  } else {
    request.later(std::nullopt);
  }
}

bool Errands::make(queue::Delivery* delivery, size_t most_recipients, Errand* errand) {
  std::vector<uint32_t> waiting;
  if (const auto left = waiting_.find(delivery); left != waiting_.end()) {
    waiting = std::move(left->second);
    waiting_.erase(left);
  } else {
    waiting = owner_->recipients_now(delivery);
  }
  if (waiting.empty()) {
    owner_->nothing_due(delivery);
    return false;
  }
  if (delivery->state != queue::DeliveryState::kSending) delivery->move_to(queue::DeliveryState::kSending);
  errand->transaction = composer_.compose(*delivery->message, most_recipients, &waiting, &errand->recipients);
  if (!waiting.empty()) waiting_.emplace(delivery, std::move(waiting));
  return true;
}

}  // namespace relay
