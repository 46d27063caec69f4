#include "relay/walk/queue_orders.h"

#include <algorithm>
#include <utility>

#include "conf/standard_error.h"

namespace relay {

using queue::Delivery;
using queue::DeliveryState;

namespace {
constexpr size_t kAtOnce = 256;  // deliveries of one message that go on within the order, some 20 us each
}  // namespace

template <typename Act>
bool QueueOrders::for_each_of(conf::MessageId id, const Act& act) {
  bool any = false;
  gone_on_ = 0;
  for (Delivery* delivery = parts_.deliveries->find(id); delivery != nullptr;) {
    Delivery* next = delivery->sibling;  // acting may end this one
    any |= act(delivery);
    delivery = next;
  }
  return any;
}

bool QueueOrders::retry(conf::MessageId id) {
  return for_each_of(id, [this](Delivery* delivery) { return retry(delivery); });
}

bool QueueOrders::retry(conf::MessageId id, const std::function<bool(const Delivery&)>& which) {
  return for_each_of(id, [&](Delivery* delivery) { return which(*delivery) && retry(delivery); });
}

bool QueueOrders::hold(conf::MessageId id) {
  const bool any = for_each_of(id, [this](Delivery* delivery) {
    if (delivery->state == DeliveryState::kHeld) return true;  // by a rule, perhaps: now by the operator, too
    delivery->hold_wanted = true;
    take_from_rest(delivery);
    return true;
  });
  if (any) keep_hold(id, true);
  return any;
}

bool QueueOrders::release(conf::MessageId id) {
  const bool any = for_each_of(id, [this](Delivery* delivery) { return release(delivery); });
  if (any) keep_hold(id, false);
  return any;
}

bool QueueOrders::drop(conf::MessageId id, const std::string& who) { return end(id, who, false); }

bool QueueOrders::fail(conf::MessageId id, const std::string& who) { return end(id, who, true); }

bool QueueOrders::end(conf::MessageId id, const std::string& who, bool with_report) {
  note(id, who);
  return for_each_of(id, [this, with_report](Delivery* delivery) {
    if (with_report) {
      delivery->fail_wanted = true;
    } else {
      delivery->drop_wanted = true;
    }
    take_from_rest(delivery);
    return true;
  });
}

void QueueOrders::note(conf::MessageId id, const std::string& who) {
  if (who.empty() || parts_.deliveries->find(id) == nullptr) return;
  if (last_giver_ == nullptr || *last_giver_ != who) last_giver_ = std::make_shared<const std::string>(who);
  givers_[id] = last_giver_;
}

std::string QueueOrders::giver_of(conf::MessageId id) const {
  const std::shared_ptr<const std::string>* found = givers_.find(id);
  return found == nullptr ? std::string() : **found;
}

void QueueOrders::left(conf::MessageId id) {
  if (givers_.size() > 0 && parts_.deliveries->find(id) == nullptr) givers_.erase(id);
}

size_t QueueOrders::leave_paths(conf::MessageId id) {
  size_t looks = 0;
  for_each_of(id, [&](Delivery* delivery) {
    ++looks;
    const bool meant = delivery->state == DeliveryState::kReady && parts_.walk->is_paused(*delivery);
    if (meant) take_from_rest(delivery);
    return meant;
  });
  return looks;
}

bool QueueOrders::retry(Delivery* delivery) {
  if (delivery->state == DeliveryState::kHeld) return false;  // it stays held until it is released
  if (delivery->state == DeliveryState::kReady) parts_.dispatcher->poke(delivery->path);
  if (delivery->state == DeliveryState::kScheduled) due_now(delivery);
  if (delivery->state == DeliveryState::kPaused) delivery->all_due = true;  // when its stream goes on
  return true;
}

bool QueueOrders::release(Delivery* delivery) {
  const bool wanted = delivery->take_hold_wanted();
  if (delivery->state != DeliveryState::kHeld) return wanted;
  due_now(delivery);
  return true;
}

void QueueOrders::due_now(Delivery* delivery) {
  parts_.resting->take_out(delivery);
  delivery->due = parts_.clock->now();
  delivery->all_due = true;
  go_on(delivery);
}

// A message may have thousands of domains: those beyond the first are due now, and the walk takes them some
// in each step.
void QueueOrders::go_on(Delivery* delivery) {
  if (++gone_on_ <= kAtOnce) {
    parts_.walk->advance(delivery);
  } else {
    delivery->due = parts_.clock->now();
    parts_.resting->schedule(delivery);
  }
}

// What is being worked on comes back to advance() by itself; what rests is taken from where it rests.
void QueueOrders::take_from_rest(Delivery* delivery) {
  if (delivery->state == DeliveryState::kReady) {
    parts_.dispatcher->remove(delivery);
  } else if (!parts_.resting->take_out(delivery)) {
    return;
  }
  go_on(delivery);
}

// Those of reply rules, of one delivery.
void QueueOrders::forget_holds(queue::Message* message, spool::RecipientSpan recipients) {
  bool any = false;
  for (const uint32_t index : recipients) any |= std::exchange(message->record.recipients[index].held, false);
  if (any) parts_.spool->update(message->record, recipients);
}

void QueueOrders::end_holds(conf::MessageId id, std::vector<uint32_t> domains) {
  ++ending_holds_;
  parts_.messages->pin(
      id, false, [this, id, domains = std::move(domains)](conf::Result<queue::Message*> result) {
        --ending_holds_;
        if (!result.ok()) {
          conf::say("message " + conf::to_text(id) +
                    ": a reply rule holds it no more, and it could not be read: " + result.error().detail +
                    "; release it with penstock queue release");
          return;
        }
        queue::Message* message = *result;
        if (!message->record.on_hold) {
          for_each_of(id, [&](Delivery* delivery) {
            const bool meant = delivery->state == DeliveryState::kHeld &&
                               std::ranges::find(domains, delivery->domain) != domains.end();
            if (!meant) return false;
            forget_holds(message, message->of(parts_.domains->name(delivery->domain)));
            due_now(delivery);
            return true;
          });
        }
        parts_.messages->unpin(message);
      });
}

// So that a hold outlives a restart.
void QueueOrders::keep_hold(conf::MessageId id, bool on_hold) {
  parts_.messages->pin(id, false, [this, id, on_hold](conf::Result<queue::Message*> result) {
    if (!result.ok()) {
      conf::say("message " + conf::to_text(id) +
                ": the hold could not be written down: " + result.error().detail);
      return;
    }
    queue::Message* message = *result;
    if (message->record.on_hold != on_hold) parts_.spool->hold(id, on_hold);
    message->record.on_hold = on_hold;
    if (!on_hold) {
      for (const std::vector<uint32_t>& delivery : spool::deliveries_of(message->record))
        forget_holds(message, delivery);
    }
    parts_.messages->unpin(message);
  });
}

}  // namespace relay
