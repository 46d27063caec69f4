#include "relay/queue/body_room.h"

#include <algorithm>

namespace relay::queue {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kLong = 10s;  // so long a body waits behind all that find room
constexpr conf::Duration kGone = 2s;

}  // namespace

bool BodyRoom::may_keep(uint64_t octets, uint64_t used) const {
  return std::max(used, kept_ + read_) + octets <= budget_ - budget_ / 4;
}

BodyRoom::Share BodyRoom::keep(uint64_t octets) {
  kept_ += octets;
  return {octets, 0, false};
}

// A smaller budget may have come with what is kept already: a quarter is there to read.
uint64_t BodyRoom::used() const { return std::min(kept_, budget_ - budget_ / 4) + read_; }

// Where nothing is read back a quarter of the budget is free: enough for any of them.
bool BodyRoom::find_room(conf::MessageId id, uint64_t octets, conf::Instant now) const {
  const uint64_t counted = std::min(octets, big());
  uint64_t beside = 3 * counted, first = 0;
  if (eldest_.id != 0 && now - eldest_.asked < kGone && now - eldest_.since >= kLong) {
    if (id == eldest_.id) {
      beside = counted / 4;
    } else {
      first = eldest_.needs;
    }
  }
  if (used() + first + octets + beside <= budget_) return true;
  return octets > big() && on_top_ == 0 && used() + first + counted + beside <= budget_;
}

bool BodyRoom::may_read(conf::MessageId id, uint64_t octets, conf::Instant now) {
  if (find_room(id, octets, now)) {
    if (id == eldest_.id) eldest_ = {};
    return true;
  }
  const uint64_t counted = std::min(octets, big());
  if (eldest_.id == 0 || now - eldest_.asked >= kGone) eldest_ = {id, counted + counted / 4, now, now};
  if (eldest_.id == id) eldest_.asked = now;
  return false;
}

BodyRoom::Share BodyRoom::read(uint64_t octets) {
  const bool on_top = octets > big() && used() + octets > budget_;
  const Share share{0, on_top ? big() : octets, on_top};
  read_ += share.read;
  if (on_top) ++on_top_;
  return share;
}

void BodyRoom::give_back(Share* share) {
  kept_ -= share->kept;
  read_ -= share->read;
  if (share->on_top) --on_top_;
  *share = {};
}

}  // namespace relay::queue
