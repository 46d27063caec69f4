#include "relay/walk/attempts.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace relay {

const Attempts::Attempt* Attempts::find(const queue::Delivery& delivery) const {
  const auto found = open_.find(&delivery);
  return found == open_.end() ? nullptr : &found->second;
}

void Attempts::forget_empty(const queue::Delivery& delivery) {
  const Attempt* attempt = find(delivery);
  if (attempt != nullptr && attempt->waiting.empty() && attempt->verdicts.empty()) open_.erase(&delivery);
}

bool Attempts::has_waiting(const queue::Delivery& delivery) const {
  const Attempt* attempt = find(delivery);
  return attempt != nullptr && !attempt->waiting.empty();
}

void Attempts::put_waiting(const queue::Delivery& delivery, std::vector<uint32_t> recipients) {
  if (!recipients.empty()) open_[&delivery].waiting = std::move(recipients);
}

std::vector<uint32_t> Attempts::take_waiting(const queue::Delivery& delivery) {
  if (!has_waiting(delivery)) return {};
  std::vector<uint32_t> taken = std::exchange(open_[&delivery].waiting, {});
  forget_empty(delivery);
  return taken;
}

void Attempts::add_verdicts(const queue::Delivery& delivery, Verdicts verdicts) {
  if (verdicts.empty()) return;
  Verdicts& all = open_[&delivery].verdicts;
  all.insert(all.end(), std::make_move_iterator(verdicts.begin()), std::make_move_iterator(verdicts.end()));
}

const Verdicts& Attempts::verdicts(const queue::Delivery& delivery) const {
  static const Verdicts kNone;
  const Attempt* attempt = find(delivery);
  return attempt == nullptr ? kNone : attempt->verdicts;
}

bool Attempts::has_verdict(const queue::Delivery& delivery, uint32_t recipient) const {
  const Verdicts& all = verdicts(delivery);
  return std::any_of(all.begin(), all.end(),
                     [recipient](const Verdict& each) { return each.recipient == recipient; });
}

Verdicts Attempts::take_verdicts(const queue::Delivery& delivery) {
  const auto found = open_.find(&delivery);
  if (found == open_.end()) return {};
  Verdicts taken = std::exchange(found->second.verdicts, {});
  forget_empty(delivery);
  return taken;
}

}  // namespace relay
