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

uint64_t BodyRoom::counted(uint64_t octets) const { return std::min(octets, outsize()); }

// Where nothing is read back a quarter of the budget is free: enough for any of them.
uint64_t BodyRoom::needed(conf::MessageId id, uint64_t counted, conf::Instant now) const {
  const bool urgent = eldest_.id != 0 && now - eldest_.asked < kGone && now - eldest_.since >= kLong;
  if (!urgent) return 4 * counted;
  const uint64_t its_need = eldest_.counted + eldest_.counted / 4;
  return id == eldest_.id ? its_need : its_need + 4 * counted;
}

bool BodyRoom::may_read(conf::MessageId id, uint64_t octets, conf::Instant now) {
  const uint64_t size = counted(octets);
  // A smaller budget may have come with what is kept already.
  const uint64_t used = std::min(kept_, budget_ - budget_ / 4) + read_;
  if (needed(id, size, now) + used > budget_) return refuse(id, size, now);
  if (octets > outsize() && outsized_ > 0) return false;
  if (id == eldest_.id) eldest_ = {};
  return true;
}

bool BodyRoom::refuse(conf::MessageId id, uint64_t counted, conf::Instant now) {
  if (eldest_.id == 0 || now - eldest_.asked >= kGone) eldest_ = {id, counted, now, now};
  if (eldest_.id == id) eldest_.asked = now;
  return false;
}

BodyRoom::Share BodyRoom::read(uint64_t octets) {
  const Share share{0, counted(octets), octets > outsize()};
  read_ += share.read;
  if (share.outsized) ++outsized_;
  return share;
}

void BodyRoom::give_back(Share* share) {
  kept_ -= share->kept;
  read_ -= share->read;
  if (share->outsized) --outsized_;
  *share = {};
}

}  // namespace relay::queue
